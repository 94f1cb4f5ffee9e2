package kubetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority is a cluster's own: it vouches for servers and for users alike.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// pair is a certificate and its key, both as PEM.
type pair struct{ cert, key []byte }

// subject says for whom a certificate is.
type subject struct {
	name   string
	groups []string
	hosts  []net.IP
	names  []string
	life   time.Duration
}

// century is how long what a test cluster issues lasts when nothing else is said.
const century = 100 * 365 * 24 * time.Hour

// newAuthority makes a cluster's authority and writes ca.crt and ca.key into dir.
func newAuthority(dir string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	draft := template(subject{name: "syncd-test", life: century})
	draft.IsCA, draft.BasicConstraintsValid = true, true
	draft.KeyUsage |= x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, draft, draft, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the authority's certificate: %w", err)
	}
	private, err := keyPEM(key)
	if err != nil {
		return nil, err
	}
	if err := save(dir, "ca", pair{cert: certPEM(der), key: private}); err != nil {
		return nil, err
	}
	return readAuthority(dir)
}

// readAuthority reads back what newAuthority wrote.
func readAuthority(dir string) (*authority, error) {
	ours, err := load(dir, "ca")
	if err != nil {
		return nil, fmt.Errorf("read the authority: %w", err)
	}
	certBlock, _ := pem.Decode(ours.cert)
	keyBlock, _ := pem.Decode(ours.key)
	if certBlock == nil || keyBlock == nil {
		return nil, fmt.Errorf("the authority in %s is not PEM", dir)
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	key, err := x509.ParseECPrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the authority's key: %w", err)
	}
	return &authority{cert: cert, key: key, pem: ours.cert}, nil
}

// issue vouches for a subject, as a server and as a client.
func (a *authority) issue(of subject) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, fmt.Errorf("make a key for %s: %w", of.name, err)
	}
	draft := template(of)
	draft.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	der, err := x509.CreateCertificate(rand.Reader, draft, a.cert, key.Public(), a.key)
	if err != nil {
		return pair{}, fmt.Errorf("certify %s: %w", of.name, err)
	}
	private, err := keyPEM(key)
	return pair{cert: certPEM(der), key: private}, err
}

// template has a serial number of the clock: unique enough within a cluster.
func template(of subject) *x509.Certificate {
	if of.life == 0 {
		of.life = century
	}
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: of.name, Organization: of.groups},
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().Add(of.life),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		IPAddresses:  of.hosts,
		DNSNames:     of.names,
	}
}

func certPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(key crypto.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key.(*ecdsa.PrivateKey))
	if err != nil {
		return nil, fmt.Errorf("write a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// save writes NAME.crt and NAME.key.
func save(dir, name string, p pair) error {
	if err := os.WriteFile(filepath.Join(dir, name+".crt"), p.cert, 0o644); err != nil {
		return fmt.Errorf("keep a certificate: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".key"), p.key, 0o600); err != nil {
		return fmt.Errorf("keep a key: %w", err)
	}
	return nil
}

// load reads what save wrote.
func load(dir, name string) (pair, error) {
	cert, err := os.ReadFile(filepath.Join(dir, name+".crt"))
	if err != nil {
		return pair{}, fmt.Errorf("read a certificate: %w", err)
	}
	key, err := os.ReadFile(filepath.Join(dir, name+".key"))
	if err != nil {
		return pair{}, fmt.Errorf("read a key: %w", err)
	}
	return pair{cert: cert, key: key}, nil
}
