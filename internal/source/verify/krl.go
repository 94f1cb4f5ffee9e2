package verify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/ssh"
)

// The format is in PROTOCOL.krl of OpenSSH.
const krlMagic = "SSHKRL\n\x00"

// The kinds of a list's sections, and of those within the one for certificates.
const (
	krlCertificates = 1
	krlKeys         = 2
	krlSHA1         = 3
	krlSignature    = 4
	krlSHA256       = 5
	krlExtension    = 255

	krlSerials = 0x20
	krlRange   = 0x21
	krlBitmap  = 0x22
	krlKeyIDs  = 0x23
	krlCertExt = 0x39
)

var errKRL = errors.New("the key revocation list is damaged")

// revokedCerts are certificates of one authority; no authority is any.
type revokedCerts struct {
	authority []byte
	serials   map[uint64]bool
	ranges    [][2]uint64
	bitmaps   []bitmap
	ids       map[string]bool
}

type bitmap struct {
	offset uint64
	bits   *big.Int
}

func (c revokedCerts) covers(cert *ssh.Certificate) bool {
	if len(c.authority) > 0 && !bytes.Equal(c.authority, cert.SignatureKey.Marshal()) {
		return false
	}
	if c.ids[cert.KeyId] {
		return true
	}
	if cert.Serial == 0 { // no serial was given, and none can be revoked
		return false
	}
	if c.serials[cert.Serial] {
		return true
	}
	for _, r := range c.ranges {
		if r[0] <= cert.Serial && cert.Serial <= r[1] {
			return true
		}
	}
	for _, b := range c.bitmaps {
		if at := cert.Serial - b.offset; cert.Serial >= b.offset && at < uint64(b.bits.BitLen()) && b.bits.Bit(int(at)) == 1 {
			return true
		}
	}
	return false
}

// readKRL takes over a list: magic, version 1, three numbers, two strings, sections.
func (r *Revoked) readKRL(data []byte) error {
	const header = len(krlMagic) + 4 + 3*8
	if len(data) < header {
		return errKRL
	}
	if v := binary.BigEndian.Uint32(data[len(krlMagic):]); v != 1 {
		return fmt.Errorf("the key revocation list has the unknown format %d", v)
	}
	_, rest, ok := cutString(data[header:]) // reserved
	if ok {
		_, rest, ok = cutString(rest) // comment
	}
	if !ok {
		return errKRL
	}
	return sections(rest, r.section)
}

// sections hands each section, a byte for its kind and its content, to take.
func sections(data []byte, take func(kind byte, content []byte) error) error {
	for len(data) > 0 {
		kind := data[0]
		content, rest, ok := cutString(data[1:])
		if !ok {
			return errKRL
		}
		if err := take(kind, content); err != nil {
			return err
		}
		data = rest
	}
	return nil
}

func (r *Revoked) section(kind byte, content []byte) error {
	switch kind {
	case krlCertificates:
		return r.certificates(content)
	case krlKeys:
		return eachString(content, func(s []byte) { r.keys[string(s)] = true })
	case krlSHA1:
		return eachString(content, func(s []byte) { r.sha1s[string(s)] = true })
	case krlSHA256:
		return eachString(content, func(s []byte) { r.sha256s[string(s)] = true })
	case krlSignature: // OpenSSH does not look at it any more
		return nil
	case krlExtension:
		return extension(content)
	}
	return fmt.Errorf("the key revocation list has the unknown section %d", kind)
}

// extension passes over what says that it may be passed over.
func extension(content []byte) error {
	name, rest, ok := cutString(content)
	if !ok || len(rest) == 0 {
		return errKRL
	}
	if rest[0] != 0 {
		return fmt.Errorf("the key revocation list has the unknown extension %.40q", name)
	}
	return nil
}

func eachString(data []byte, take func([]byte)) error {
	for len(data) > 0 {
		value, rest, ok := cutString(data)
		if !ok {
			return errKRL
		}
		take(value)
		data = rest
	}
	return nil
}

func (r *Revoked) certificates(content []byte) error {
	authority, rest, ok := cutString(content)
	if ok {
		_, rest, ok = cutString(rest) // reserved
	}
	if !ok {
		return errKRL
	}
	c := revokedCerts{authority: authority, serials: map[uint64]bool{}, ids: map[string]bool{}}
	if err := sections(rest, c.section); err != nil {
		return err
	}
	r.certs = append(r.certs, c)
	return nil
}

func (c *revokedCerts) section(kind byte, content []byte) error {
	switch kind {
	case krlSerials:
		if len(content)%8 != 0 {
			return errKRL
		}
		for ; len(content) > 0; content = content[8:] {
			c.serials[binary.BigEndian.Uint64(content)] = true
		}
		return nil
	case krlRange:
		if len(content) != 16 {
			return errKRL
		}
		c.ranges = append(c.ranges, [2]uint64{binary.BigEndian.Uint64(content), binary.BigEndian.Uint64(content[8:])})
		return nil
	case krlBitmap:
		if len(content) < 8 {
			return errKRL
		}
		bits, rest, ok := cutString(content[8:])
		if !ok || len(rest) > 0 {
			return errKRL
		}
		c.bitmaps = append(c.bitmaps, bitmap{binary.BigEndian.Uint64(content), new(big.Int).SetBytes(bits)})
		return nil
	case krlKeyIDs:
		return eachString(content, func(s []byte) { c.ids[string(s)] = true })
	case krlCertExt:
		return extension(content)
	}
	return fmt.Errorf("the key revocation list has the unknown kind of certificates %#x", kind)
}
