package main

import (
	"encoding/json"
	"fmt"
	"io"

	"syncd.io/syncd/internal/resource"
)

// print writes value as JSON where that is asked for, else text.
func (c *cli) print(value any, text func() string) error {
	if c.flags.output != asJSON {
		return write(c.out, text())
	}
	enc := json.NewEncoder(c.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

func write(w io.Writer, text string) error {
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write the output: %w", err)
	}
	return nil
}

// note tells a person something besides the output.
func (c *cli) note(text string) { fmt.Fprintln(c.err, "note: "+resource.Harmless(text, 600)) }

// list makes sure that no elements are [] in JSON, and not null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
