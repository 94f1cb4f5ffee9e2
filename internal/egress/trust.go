package egress

import (
	"crypto/x509"
	"errors"
)

// AuthorityBound is how long a file of certificates may be, in bytes: a system's bundle
// has some hundred thousand.
const AuthorityBound = 4 << 20

// Trust are the authorities of the system and those of a file; nil, which is the
// system's, where none is named.
func Trust(caFile string) (*x509.CertPool, error) {
	if caFile == "" {
		return nil, nil
	}
	pem, err := File(caFile, AuthorityBound)
	if err != nil {
		return nil, err
	}
	return Authorities(pem)
}

// Authorities are those of the system and of certificates in PEM. A system without any
// has those alone.
func Authorities(pem []byte) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("it holds no certificate in PEM")
	}
	return pool, nil
}
