package egress

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// SecretBound is how long a file with a secret may be, in bytes.
const SecretBound = 16 << 10

// Secret reads a secret from a file, or where none is named from a variable of the
// environment; the line's end after it is none of it. No error holds it.
func Secret(file, env string) (string, error) {
	value := os.Getenv(env)
	if file != "" {
		data, err := File(file, SecretBound)
		if err != nil {
			return "", err
		}
		value = string(data)
	}
	value = strings.TrimSpace(value)
	switch {
	case value == "" && file != "":
		return "", fmt.Errorf("%s is empty", file)
	case value == "":
		return "", fmt.Errorf("the environment has no %s", env)
	case strings.ContainsAny(value, "\r\n\x00"):
		return "", errors.New("it has more than one line")
	}
	return value, nil
}

// File reads a regular file of at most so many bytes. Another kind is not opened: a
// pipe would be waited for.
func File(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s is longer than %d bytes", path, most)
	}
	return data, err
}
