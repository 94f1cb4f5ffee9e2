package wording

import (
	"slices"
	"strings"
	"testing"

	"syncd.io/syncd/internal/fault"
)

type message struct {
	Host  string
	Apps  []string
	Count map[string]int
}

func TestATemplateMakesATextOfEachMessage(t *testing.T) {
	got, err := Texts("{{upper .Host}}: {{join .Apps \", \"}} {{short \"1a2b3c4d5e6f\"}}\n", []message{{Host: "a", Apps: []string{"x", "y"}}, {Host: "b"}})
	if want := []string{"A: x, y 1a2b3c4d5e\n", "B:  1a2b3c4d5e\n"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q %v", got, err)
	}
}

func TestATemplateThatFailsIsRejected(t *testing.T) {
	for text, says := range map[string]string{
		"{{.Host":                         "unclosed action",
		"{{.Hots}}":                       "Hots",
		"{{.Count.nothing}}":              "nothing",
		"{{index .Apps 1}}":               "out of range",
		"{{range 100000}}too much{{end}}": "more than 16384 bytes",
		`{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`: "maximum template depth",
	} {
		_, err := Texts(text, []message{{Apps: []string{"x"}}})
		if fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
