package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// migrate brings the database to the wanted schema and leaves a marker file, so
// that a second run has nothing to do.
func migrate(ctx context.Context, s settings, out io.Writer) error {
	marker := filepath.Join(s.data, "schema-"+filepath.Base(s.schema))
	if _, err := os.Stat(marker); err == nil {
		fmt.Fprintf(out, "schema %s is there already\n", s.schema)
		return nil
	}
	if s.db != "" {
		if _, err := ask(ctx, s.db, "set", "schema", s.schema); err != nil {
			return fmt.Errorf("migrate to schema %s: %w", s.schema, err)
		}
	}
	if err := os.MkdirAll(s.data, 0o755); err != nil {
		return fmt.Errorf("make the marker's directory: %w", err)
	}
	if err := os.WriteFile(marker, []byte(s.version+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the marker: %w", err)
	}
	fmt.Fprintf(out, "migrated to schema %s\n", s.schema)
	return nil
}
