package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pack"
	"syncd.io/syncd/internal/source/verify"
)

// signedBy accepts the signatures that a host's settings accept. The list of signers
// is read anew for each pack.
func signedBy(p config.Packs) pack.Verify {
	return func(manifest, signature []byte) (string, error) {
		switch {
		case signature == nil && p.AllowUnsigned:
			return "", nil
		case signature == nil:
			err := fault.As(fault.Rejected, errors.New("nobody signed it"))
			return "", fault.Hint(err, "have it made with syncd pack --key FILE; packs.allowUnsigned: true takes such packs, too")
		case p.AllowedSignersFile == "" && p.AllowUnsigned:
			return "", nil
		case p.AllowedSignersFile == "":
			err := fault.As(fault.Blocked, errors.New("nobody is said to be allowed to sign packs"))
			return "", fault.Hint(err, "set packs.allowedSignersFile in syncd.yaml, or give --allowed-signers FILE")
		}
		return signerOf(p.AllowedSignersFile, manifest, signature)
	}
}

// signerOf holds a signature against a list. Keys have to be valid at the time that
// the manifest says.
func signerOf(list string, manifest, signature []byte) (string, error) {
	data, err := os.ReadFile(list)
	if err != nil {
		return "", fault.As(fault.Blocked, fmt.Errorf("read packs.allowedSignersFile: %w", err))
	}
	signers, err := verify.ParseSigners(list, data)
	if err != nil {
		return "", err
	}
	var when struct {
		Made time.Time `json:"made"`
	}
	if err := json.Unmarshal(manifest, &when); err != nil {
		return "", fault.As(fault.Rejected, errors.New("its manifest is no JSON"))
	}
	keys := verify.Keys{Signers: signers, Hint: "have it signed with a key that " + list + " lists for packs; nothing of it was used"}
	signer, err := keys.Detached("it", pack.Namespace, manifest, signature, when.Made)
	return signer.Name, err
}
