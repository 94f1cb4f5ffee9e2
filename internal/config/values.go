package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io/fs"
	"maps"
	"slices"
	"strconv"
)

// Values returns what ${...} may use on this host: its vars, and the variables
// of its envFiles, of which later ones win over earlier ones and all win over
// vars. secret are the names that came from a file, in order. hash is over all
// vars and the bytes of all files: it changes exactly when the app has to be
// rendered again. The agent's own environment is never looked at.
//
// A file that is missing, unreadable or malformed is blocked: no revision is to
// blame, and nothing may be rendered with a part of the values.
func Values(h HostInfo) (values map[string]string, secret []string, hash string, err error) {
	values = maps.Clone(h.Vars)
	if values == nil {
		values = map[string]string{}
	}
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(h.Vars)) {
		measureInto(sum, name, h.Vars[name])
	}
	names := map[string]bool{}
	for _, path := range h.EnvFiles {
		data, vars, err := readEnvFile(path)
		if err != nil {
			return nil, nil, "", err
		}
		measureInto(sum, path, string(data))
		maps.Copy(values, vars)
		for name := range vars {
			names[name] = true
		}
	}
	return values, slices.Sorted(maps.Keys(names)), "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// measureInto adds two strings with their lengths, so that no two sequences of
// strings have the same bytes.
func measureInto(sum hash.Hash, parts ...string) {
	for _, part := range parts {
		sum.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
}

func readEnvFile(path string) ([]byte, map[string]string, error) {
	data, err := readBounded(path, maxFile+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, blocked("create it, or remove it from host.envFiles", "read host.envFiles: %w", err)
	case err != nil:
		return nil, nil, blocked("it has to be a file that the user of syncd may read", "read host.envFiles: %w", err)
	case len(data) > maxFile:
		return nil, nil, blocked("an env file holds KEY=VALUE lines only", "read host.envFiles: %s is larger than %d bytes", path, maxFile)
	}
	vars, bad := parseDotenv(data)
	if bad != nil {
		return nil, nil, blocked(bad.hint, "%s:%d: %w", path, bad.line, bad)
	}
	return data, vars, nil
}
