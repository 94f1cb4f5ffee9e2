// Package wording makes the texts of templates. It runs in the child: a template may go
// on for ever, and who links text/template, which finds methods by their names, links
// every method of every type, an eighth of the agent.
package wording

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"

	"syncd.io/syncd/internal/fault"
)

// Bound is how much a template may write of one message, in bytes.
const Bound = 16 << 10

// Texts returns what a template makes of each message, whose fields it has by their Go
// names. The error is Rejected.
func Texts[M any](text string, about []M) ([]string, error) {
	made, err := template.New("template").Funcs(template.FuncMap{"join": strings.Join, "upper": strings.ToUpper, "short": short}).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, fault.As(fault.Rejected, err)
	}
	var texts []string
	for _, m := range about {
		text, err := execute(made, m)
		if err != nil {
			return nil, fault.As(fault.Rejected, err)
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// short is the first ten digits of a commit.
func short(commit string) string { return commit[:min(10, len(commit))] }

// execute makes one text; a template that panics is one that fails.
func execute(t *template.Template, m any) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it panics: %v", r)
		}
	}()
	var out bounded
	err = t.Execute(&out, m)
	return out.String(), err
}

// bounded takes so much and no more.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > Bound {
		return 0, fmt.Errorf("it makes more than %d bytes", Bound)
	}
	return b.Buffer.Write(p)
}
