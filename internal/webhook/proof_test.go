package webhook

import (
	"encoding/hex"
	"net/http"
	"testing"

	"syncd.io/syncd/internal/config"
)

// everybody is the secret of GitHub's and Bitbucket's own examples.
const everybody = "It's a Secret to Everybody"

// What GitHub, Bitbucket and Standard Webhooks give as examples of a signature.
const (
	githubSum    = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" // of "Hello, World!"
	bitbucketSum = "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9" // of "Hello World!"

	standardToken = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	standardSum   = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	standardBody  = `{"test": 2432232314}`
)

// headers are name and value in turn.
func headers(of ...string) http.Header {
	h := http.Header{}
	for i := 0; i+1 < len(of); i += 2 {
		h.Add(of[i], of[i+1])
	}
	return h
}

func standard(sum string) http.Header {
	return headers("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp", "1614265330", "webhook-signature", sum)
}

func TestForgesProveThatTheyKnowTheSecret(t *testing.T) {
	const hello = "Hello, World!"
	for _, c := range []struct {
		name, provider, secret, body string
		header                       http.Header
		want                         bool
	}{
		{"GitHub's example", "github", everybody, hello, headers("X-Hub-Signature-256", "sha256="+githubSum), true},
		{"another body", "github", everybody, "Hello, World?", headers("X-Hub-Signature-256", "sha256="+githubSum), false},
		{"another secret", "github", "secret", hello, headers("X-Hub-Signature-256", "sha256="+githubSum), false},
		{"an empty secret", "github", "", "", headers("X-Hub-Signature-256", "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"), false},
		{"no signature", "github", everybody, hello, headers(), false},
		{"an empty one", "github", everybody, hello, headers("X-Hub-Signature-256", ""), false},
		{"a part of one", "github", everybody, hello, headers("X-Hub-Signature-256", "sha256="+githubSum[:32]), false},
		{"no hexadecimal", "github", everybody, hello, headers("X-Hub-Signature-256", "sha256=zz"+githubSum[2:]), false},
		{"without its prefix", "github", everybody, hello, headers("X-Hub-Signature-256", githubSum), false},
		{"the old SHA-1", "github", everybody, hello, headers("X-Hub-Signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59"), false},
		{"two of them", "github", everybody, hello, headers("X-Hub-Signature-256", "sha256="+githubSum, "X-Hub-Signature-256", "sha256="+githubSum), false},
		{"Bitbucket's example", "bitbucket", everybody, "Hello World!", headers("X-Hub-Signature", "sha256="+bitbucketSum), true},
		{"Bitbucket in GitHub's header", "bitbucket", everybody, "Hello World!", headers("X-Hub-Signature-256", "sha256="+bitbucketSum), false},
		{"Gitea's own header", "gitea", everybody, hello, headers("X-Gitea-Signature", githubSum), true},
		{"Gitea as GitHub does", "gitea", everybody, hello, headers("X-Hub-Signature-256", "sha256="+githubSum), true},
		{"Gitea's is wrong, GitHub's is right", "gitea", everybody, hello, headers("X-Gitea-Signature", bitbucketSum, "X-Hub-Signature-256", "sha256="+githubSum), false},
		{"Forgejo's own header", "forgejo", everybody, hello, headers("X-Forgejo-Signature", githubSum, "X-Gitea-Signature", githubSum), true},
		{"an older Forgejo", "forgejo", everybody, hello, headers("X-Gitea-Signature", githubSum), true},
		{"Forgejo's at Gitea's", "gitea", everybody, hello, headers("X-Forgejo-Signature", githubSum), false},
		{"GitLab's token", "gitlab", "a token", hello, headers("X-Gitlab-Token", "a token"), true},
		{"a part of it", "gitlab", "a token", hello, headers("X-Gitlab-Token", "a toke"), false},
		{"none", "gitlab", "a token", hello, headers(), false},
		{"GitLab's signing token", "gitlab", standardToken, standardBody, standard(standardSum), true},
		{"beside signatures of other versions", "gitlab", standardToken, standardBody, standard("v1a,aaaa " + standardSum + " v2,bbbb"), true},
		{"another version", "gitlab", standardToken, standardBody, standard("v2" + standardSum[2:]), false},
		{"another time", "gitlab", standardToken, standardBody, headers("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp", "1614265331", "webhook-signature", standardSum), false},
		{"no time", "gitlab", standardToken, standardBody, headers("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-signature", standardSum), false},
		{"the signing token itself", "gitlab", standardToken, standardBody, headers("X-Gitlab-Token", standardToken), false},
		{"a generic one", "generic", everybody, hello, headers("X-Signature", githubSum), true},
		{"with a prefix", "generic", everybody, hello, headers("X-Signature", "sha256="+githubSum), true},
		{"in another header", "generic", everybody, hello, headers("X-Hub-Signature-256", "sha256="+githubSum), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := proven(config.Hook{Provider: c.provider}, []byte(c.secret), c.header, []byte(c.body)); got != c.want {
				t.Errorf("proven: %t, want %t", got, c.want)
			}
		})
	}
	if !proven(config.Hook{Provider: "generic", Header: "X-CI"}, []byte(everybody), headers("x-ci", githubSum), []byte(hello)) {
		t.Error("a generic one in a header of its own is not proven")
	}
}

// Whatever is sent, nobody is believed who does not know the secret.
func FuzzProof(f *testing.F) {
	for _, provider := range []string{"github", "gitlab", "gitea", "forgejo", "bitbucket", "generic"} {
		f.Add(provider, "X-Hub-Signature-256", "sha256="+githubSum, []byte("Hello, World!"))
		f.Add(provider, "X-Gitlab-Token", everybody, []byte{})
		f.Add(provider, "webhook-signature", standardSum, []byte(standardBody))
		f.Add(provider, "X-Signature", "sha256=", []byte{0})
	}
	f.Fuzz(func(t *testing.T, provider, header, value string, body []byte) {
		h := headers(header, value, "webhook-id", "1", "webhook-timestamp", "2")
		secret := []byte(everybody)
		if !proven(config.Hook{Provider: provider}, secret, h, body) {
			return
		}
		sum := hex.EncodeToString(signed(secret, body))
		if value != everybody && !equalFold(value, sum) && !equalFold(value, sha256Prefix+sum) {
			t.Fatalf("%s believes %q in %s", provider, value, header)
		}
	})
}

// equalFold compares hexadecimal digits.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := a[i]|0x20, b[i]|0x20
		if x != y {
			return false
		}
	}
	return true
}
