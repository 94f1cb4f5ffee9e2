package source_test

import (
	"encoding/pem"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/source"
)

type connection = net.Conn

// certificate is the test server's own, in PEM.
func certificate(s *site) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// trusting knows the test server's certificate.
func trusting(t testing.TB, s *site) func(*source.Options) {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certificate(s), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(o *source.Options) { o.Auth = config.Auth{CAFile: ca} }
}

// random is text that does not compress; the same at each run.
func random(size int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([]byte, size)
	for i := range out {
		out[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[rng.IntN(64)]
	}
	return string(out)
}

// maxRSS is how much memory an ended process had at most, in kibibytes.
func maxRSS(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss
}
