package resource

import "testing"

func TestSecretName(t *testing.T) {
	for _, name := range []string{
		"PASSWORD", "DB_PASSWORD", "POSTGRES_PASSWORD", "PGPASSWORD", "DB_PASS", "passphrase", "MYSQL_PWD",
		"TOKEN", "githubToken", "SECRET", "client-secret", "SECRET_KEY_BASE", "AWS_SECRET_ACCESS_KEY",
		"API_KEY", "apiKey", "api-key", "X.API.KEY", "STRIPE_KEY", "privateKey", "encryption_key", "signingKey",
		"CREDENTIALS", "HTTP_AUTH", "SENTRY_DSN", "ERLANG_COOKIE",
	} {
		if !SecretName(name) {
			t.Errorf("%s is not taken for a secret", name)
		}
	}
	for _, name := range []string{
		"", "image", "LOG_LEVEL", "PWD", "PORT", "command", "SSH_PUBLIC_KEY", "KEYBOARD", "hostname", "restart", "ports", "memory",
	} {
		if SecretName(name) {
			t.Errorf("%s is taken for a secret", name)
		}
	}
}

func TestSecretValue(t *testing.T) {
	for _, value := range []string{
		"postgres://u:p@db/x", "https://ghp_0123456789abcdef0123@example.org/r.git",
		"amqp://u:p@one,amqp://u:p@two", "postgres://u:p w@db", "serve --db postgres://u:p@db/x",
		"--password=x", "--password x", "redis-server --requirepass x", "PGPASSWORD=x psql", "Authorization: Bearer x",
		"https://example.org/hook?token=x", "-----BEGIN RSA PRIVATE KEY-----\nx",
	} {
		if !SecretValue(value) {
			t.Errorf("%q is not taken for a secret", value)
		}
	}
	for _, value := range []string{
		"", "v1", "https://example.org", "ssh://git@example.org/r.git", "https://me@example.org/r.git",
		"me@example.org", "serve --port=80", "a=b", "PASSWORD=", "10s", "-----BEGIN CERTIFICATE-----",
	} {
		if SecretValue(value) {
			t.Errorf("%q is taken for a secret", value)
		}
	}
}

func TestSecretFlag(t *testing.T) {
	for word, want := range map[string]bool{
		"--password": true, "-token": true, "Authorization:": true, "--requirepass": true,
		"--password=x": false, "--password x": false, "password": false, "--port": false, "": false, "-": false,
	} {
		if SecretFlag(word) != want {
			t.Errorf("%q is a secret's flag: %t, want %t", word, !want, want)
		}
	}
}

func TestPointerTokensAreEscaped(t *testing.T) {
	for key, want := range map[string]string{"plain": "plain", "a/b": "a~1b", "a~1": "a~01", "~/": "~0~1"} {
		if got := PointerToken(key); got != want {
			t.Errorf("%s becomes %s, want %s", key, got, want)
		}
	}
}
