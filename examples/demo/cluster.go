package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"syncd.io/syncd/internal/kubetest"
)

// cluster is the namespace of the story on this machine's cluster.
type cluster struct {
	*kubetest.Access
	namespace string
}

// in is the path of a resource in the namespace, by what comes before it: /api/v1,
// /apis/apps/v1.
func (c *cluster) in(group, resource string) string {
	return group + "/namespaces/" + c.namespace + "/" + resource
}

// kubectl is what a person types to do something there.
func (c *cluster) kubectl(words ...string) []string {
	return append([]string{"kubectl", "-n", c.namespace}, words...)
}

// text returns a value of an object by its path; empty where it is not there.
func (c *cluster) text(ctx context.Context, path string, fields ...string) (string, error) {
	found, err := c.Do(ctx, http.MethodGet, path, nil)
	if missing(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var value any = found
	for _, field := range fields {
		tree, _ := value.(map[string]any) // what has no fields lacks this one
		value = tree[field]
	}
	if value == nil {
		return "", nil
	}
	return fmt.Sprint(value), nil
}

// missing tells that what was asked for is not there.
func missing(err error) bool {
	var refusal *kubetest.Refusal
	return errors.As(err, &refusal) && refusal.Code == http.StatusNotFound
}

// table returns some columns of what the API server prints of a path, as kubectl
// shows it.
func (c *cluster) table(ctx context.Context, path string, columns ...string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL()+path, nil)
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", path, err)
	}
	req.Header.Set("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
	resp, err := c.Client().Do(req)
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return printed(raw, columns)
}

// widest is how many letters of a cell are shown.
const widest = 120

// printed lays columns of a table of the API server out for a terminal.
func printed(raw []byte, columns []string) (string, error) {
	var table struct {
		ColumnDefinitions []struct{ Name string }
		Rows              []struct{ Cells []any }
	}
	if err := json.Unmarshal(raw, &table); err != nil {
		return "", fmt.Errorf("read a table of the API server: %w: %.200s", err, raw)
	}
	var names []string
	for _, column := range table.ColumnDefinitions {
		names = append(names, column.Name)
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(columns, "\t")))
	for _, row := range table.Rows {
		var cells []string
		for _, column := range columns {
			if i := slices.Index(names, column); i >= 0 && i < len(row.Cells) {
				cells = append(cells, cut(fmt.Sprint(row.Cells[i]), widest))
			}
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	if err := w.Flush(); err != nil {
		return "", fmt.Errorf("lay out a table: %w", err)
	}
	return b.String(), nil
}

// clear removes the namespace, and waits until nothing is left of it.
func (c *cluster) clear(ctx context.Context) error {
	path := "/api/v1/namespaces/" + c.namespace
	if _, err := c.Do(ctx, http.MethodDelete, path, nil); err != nil && !missing(err) {
		return err
	}
	return await(ctx, "the end of the namespace "+c.namespace, func(ctx context.Context) string {
		switch _, err := c.Do(ctx, http.MethodGet, path, nil); {
		case missing(err):
			return ""
		case err != nil:
			return err.Error()
		}
		return "it is still there"
	})
}

// load builds the example's program below dir and gives the node its images, one
// for each version.
func (c *cluster) load(ctx context.Context, root, dir, image string, versions ...string) error {
	path := filepath.Join(dir, "app")
	if _, err := program(ctx, root, []string{"CGO_ENABLED=0"}, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", path, "./examples/app"); err != nil {
		return err
	}
	app, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the example's program: %w", err)
	}
	for _, version := range versions {
		err := c.Load(ctx, kubetest.Image{
			Tags: []string{image + ":" + version}, Files: map[string][]byte{"/app": app},
			Entrypoint: []string{"/app"}, Env: []string{"APP_VERSION=" + version},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
