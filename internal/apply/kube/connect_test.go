package kube_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/kube"
	"syncd.io/syncd/internal/fault"
)

// kubeconfig writes a file with two contexts, home its current one.
func kubeconfig(t *testing.T, server, cluster, user string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: home
clusters: [{name: c, cluster: {server: %q%s}}]
users: [{name: u, user: {%s}}]
contexts:
- {name: home, context: {cluster: c, user: u}}
- {name: away, context: {cluster: c, user: u}}
- {name: torn, context: {cluster: gone, user: u}}
`, server, cluster, user)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigFindsTheClusterThatIsMeant(t *testing.T) {
	path := kubeconfig(t, "https://cluster.example:6443", "", "token: x")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBECONFIG", path)
	for name, file := range map[string]string{"named": path, "by KUBECONFIG": ""} {
		cfg, err := kube.Config(file, "away", "1.2")
		if err != nil || cfg.Host != "https://cluster.example:6443" || cfg.QPS != -1 || cfg.UserAgent != "syncd/1.2" || cfg.BearerToken != "x" {
			t.Errorf("%s: %v, %v", name, cfg, err)
		}
	}
	plugin := kubeconfig(t, "https://cluster.example", "", "exec: {apiVersion: client.authentication.k8s.io/v1, command: get-token, interactiveMode: Never}")
	if cfg, err := kube.Config(plugin, "", ""); err != nil || cfg.ExecProvider == nil || cfg.ExecProvider.Command != "get-token" {
		t.Errorf("exec plugin: %v, %v", cfg, err)
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	good := kubeconfig(t, "https://cluster.example", "", "token: x")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("KUBECONFIG", "")
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, []byte("\tnot: [yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, context, want, hint string }{
		"missing file":     {"/nowhere/kubeconfig", "", "kubeconfig /nowhere/kubeconfig does not exist", "kubernetes.kubeconfig"},
		"a directory":      {t.TempDir(), "", "is a directory", "mend the file"},
		"garbage":          {garbage, "", "read kubeconfig " + garbage, "mend the file"},
		"unknown context":  {good, "prod", `has no context "prod"`, "it has: away, home, torn"},
		"context is torn":  {good, "torn", `names the cluster "gone"`, "kubernetes.context"},
		"nothing anywhere": {"", "", "no cluster is named", "KUBECONFIG"},
		"missing CA file":  {kubeconfig(t, "https://cluster.example", ", certificate-authority: /nowhere/ca.crt", "token: x"), "", "/nowhere/ca.crt", ""},
	} {
		_, err := kube.Config(c.file, c.context, "")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || fault.Of(err) != fault.Blocked || !strings.Contains(fault.Advice(err), c.hint) {
			t.Errorf("%s: %v (%s), hint %q", name, err, fault.Of(err), fault.Advice(err))
		}
	}
}

// server answers each request with status, under a certificate that is valid from
// and to these times; it returns its address and the certificate.
func server(t *testing.T, from, to time.Duration, status int) (url, authority string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", status) }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Here the API server is a stand-in: what is tested is how a connection fails.
func TestTroubleWithTheConnectionIsSaid(t *testing.T) {
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		from, to time.Duration
		status   int
		trusted  bool
		closed   bool
		class    fault.Class
		want     string
	}{
		"untrusted":     {-day, day, 200, false, false, fault.Blocked, "signed by nobody whom the kubeconfig trusts"},
		"expired":       {-2 * day, -day, 200, true, false, fault.Unreachable, "clock"},
		"not yet valid": {day, 2 * day, 200, true, false, fault.Unreachable, "clock"},
		"401":           {-day, day, 401, true, false, fault.Blocked, "expired"},
		"503":           {-day, day, 503, true, false, fault.Unreachable, ""},
		"closed":        {-day, day, 200, true, true, fault.Unreachable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			url, authority := server(t, c.from, c.to, c.status)
			trust := ""
			if c.trusted {
				trust = ", certificate-authority-data: " + authority
			}
			if c.closed {
				url = "https://127.0.0.1:1"
			}
			cfg, err := kube.Config(kubeconfig(t, url, trust, "token: x"), "", "")
			if err != nil {
				t.Fatal(err)
			}
			secrets, err := kube.NewSecrets(cfg, "syncd")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err = secrets.List(ctx)
			if fault.Of(err) != c.class || !strings.Contains(fault.Advice(err), c.want) || !strings.Contains(err.Error(), "list Secrets of namespace syncd") {
				t.Errorf("%v (%s), hint %q", err, fault.Of(err), fault.Advice(err))
			}
		})
	}
}
