// Command schemagen writes the JSON Schemas of syncd.yaml and .syncd.yaml into
// the directory that is its argument.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"syncd.io/syncd/internal/config"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: schemagen DIR")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	for name, schema := range map[string]func() ([]byte, error){
		"syncd.schema.json": config.HostSchema,
		"app.schema.json":   config.AppSchema,
	} {
		data, err := schema()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("write schema: %w", err)
		}
	}
	return nil
}
