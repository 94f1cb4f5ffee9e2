package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/verify"
)

// trust is whom to believe, as the files say that repo.verify names.
type trust struct {
	keys verify.Keys
	// sum is over the files' bytes and the settings: another one is another trust.
	sum string
}

const hintVerify = "name the keys: repo.verify.ssh.allowedSignersFile or repo.verify.openpgp.keyringFiles; to look at no signatures, remove repo.verify"

// verifyFits refuses settings that could let nothing pass, or not what they seem to.
func verifyFits(v *config.Verify) error {
	switch {
	case v == nil:
		return nil
	case v.SSH.AllowedSignersFile == "" && len(v.OpenPGP.KeyringFiles) == 0:
		return unfit("repo.verify names no keys: nothing could be accepted")
	case v.SSH.AllowedSignersFile == "" && v.SSH.RevokedFile != "":
		return unfit("repo.verify.ssh.revokedFile is of no use without allowedSignersFile")
	}
	return nil
}

func unfit(text string) error {
	return fault.Hint(fault.As(fault.Rejected, errors.New(text)), hintVerify)
}

// whom reads the key files anew; what has not changed is not parsed again. The
// error is Blocked, and names setting, file and line.
func (r *Repository) whom() (trust, error) {
	v := r.opts.Verify
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n", v.Mode, v.Tags)
	var files [][]byte
	for _, f := range keyFiles(*v) {
		data, err := egress.File(f.path, maxSecret) // a list of revoked keys may be empty
		if err != nil {
			return trust{}, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("read repo.verify.%s: %w", f.key, err)), "check that the file exists and can be read by the agent; no new revision is accepted before")
		}
		fmt.Fprintf(sum, "%q %d\n%s", f.path, len(data), data)
		files = append(files, data)
	}
	name := hex.EncodeToString(sum.Sum(nil))
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.believed.sum == name {
		return r.believed, nil
	}
	keys, err := parseKeys(*v, files)
	if err != nil {
		return trust{}, fmt.Errorf("read repo.verify: %w", err)
	}
	r.believed = trust{keys, name}
	return r.believed, nil
}

type keyed struct{ key, path string }

// keyFiles are the files that are named, in the order that parseKeys takes them.
func keyFiles(v config.Verify) []keyed {
	var out []keyed
	if v.SSH.AllowedSignersFile != "" {
		out = append(out, keyed{"ssh.allowedSignersFile", v.SSH.AllowedSignersFile})
	}
	if v.SSH.RevokedFile != "" {
		out = append(out, keyed{"ssh.revokedFile", v.SSH.RevokedFile})
	}
	for _, path := range v.OpenPGP.KeyringFiles {
		out = append(out, keyed{"openpgp.keyringFiles", path})
	}
	return out
}

func parseKeys(v config.Verify, files [][]byte) (keys verify.Keys, err error) {
	next := func() []byte { data := files[0]; files = files[1:]; return data }
	if v.SSH.AllowedSignersFile != "" {
		if keys.Signers, err = verify.ParseSigners(v.SSH.AllowedSignersFile, next()); err != nil {
			return keys, err
		}
	}
	if v.SSH.RevokedFile != "" {
		if keys.Revoked, err = verify.ParseRevoked(v.SSH.RevokedFile, next()); err != nil {
			return keys, err
		}
	}
	for _, path := range v.OpenPGP.KeyringFiles {
		ring, err := verify.ParseRing(path, next())
		if err != nil {
			return keys, err
		}
		keys.Rings = append(keys.Rings, ring)
	}
	return keys, nil
}
