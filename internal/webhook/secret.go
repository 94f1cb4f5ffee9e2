package webhook

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/egress"
	"syncd.io/syncd/internal/fault"
)

// maxSecret bounds a secret's file, in bytes.
const maxSecret = 4 << 10

// secretOf reads a hook's secret anew: it may have been changed. The line's end
// after it is none of it. Errors: Blocked; they never hold the secret.
func secretOf(h config.Hook) ([]byte, error) {
	secret, err := readSecret(h.SecretFile)
	if err != nil {
		err = fmt.Errorf("read the secret of webhook %s: %w", h.Name, err)
		return nil, fault.Hint(fault.As(fault.Blocked, err), "write what the forge was told as its secret into "+h.SecretFile+", and let the user that syncd runs as read it")
	}
	return secret, nil
}

func readSecret(path string) ([]byte, error) {
	data, err := egress.File(path, maxSecret)
	if err != nil {
		return nil, err
	}
	secret := bytes.TrimRight(data, "\r\n")
	if len(bytes.TrimSpace(secret)) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	if encoded, signs := strings.CutPrefix(string(secret), signingToken); signs {
		if key, err := base64.StdEncoding.DecodeString(encoded); err != nil || len(key) == 0 {
			return nil, errors.New("it begins like a signing token, and is none")
		}
	}
	return secret, nil
}
