package webhook

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"syncd.io/syncd/internal/config"
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
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	secret := bytes.TrimRight(data, "\r\n")
	switch {
	case len(bytes.TrimSpace(secret)) == 0:
		return nil, fmt.Errorf("%s is empty", path)
	case len(data) > maxSecret:
		return nil, fmt.Errorf("%s is longer than %d bytes", path, maxSecret)
	}
	if encoded, signs := strings.CutPrefix(string(secret), signingToken); signs {
		if key, err := base64.StdEncoding.DecodeString(encoded); err != nil || len(key) == 0 {
			return nil, errors.New("it begins like a signing token, and is none")
		}
	}
	return secret, nil
}
