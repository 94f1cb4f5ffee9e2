package bound

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadingEndsAtTheLimit(t *testing.T) {
	errLong := errors.New("too long")
	if text, err := io.ReadAll(&Reader{strings.NewReader("12345"), 5, errLong}); err != nil || string(text) != "12345" {
		t.Errorf("what just fits: %q, %v", text, err)
	}
	if _, err := io.ReadAll(&Reader{strings.NewReader("123456"), 5, errLong}); !errors.Is(err, errLong) {
		t.Errorf("what is one too long: %v", err)
	}
}
