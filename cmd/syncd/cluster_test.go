package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"syncd.io/syncd/internal/kubetest"
)

// TestClusterStory runs the verbs on a real cluster and a real repository.
func TestClusterStory(t *testing.T) {
	access := kubetest.Shared(t)
	place := newNamespace(t, access)
	renderer := buildRenderer(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/cluster",
		Setup: func(env *testscript.Env) error {
			env.Setenv("KUBECONFIG", access.Kubeconfig())
			env.Setenv("NAMESPACE", place.name)
			return prepare(env, renderer)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exit": exitCmd, "replace": replaceCmd, "api": place.apiCmd, "uid": uidCmd},
	})
}

// namespace is one of its own, which goes with the test.
type namespace struct {
	access *kubetest.Access
	name   string
}

func newNamespace(t *testing.T, access *kubetest.Access) namespace {
	t.Helper()
	n := namespace{access, fmt.Sprintf("syncdtest-%08x", rand.Uint32())}
	if _, err := access.Do(t.Context(), "POST", "/api/v1/namespaces", map[string]any{"metadata": map[string]any{"name": n.name}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if _, err := access.Do(ctx, "DELETE", "/api/v1/namespaces/"+n.name, nil); err != nil {
			t.Error(err)
		}
	})
	return n
}

// apiCmd is "api METHOD PATH [FILE]": it asks for something of the namespace, as
// kubectl would, and prints the answer.
func (n namespace) apiCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: api METHOD PATH [FILE]")
	}
	var body []byte
	if len(args) > 2 {
		body = []byte(ts.ReadFile(args[2]))
	}
	path := n.access.URL() + "/api/v1/namespaces/" + n.name + "/" + args[1] + "?fieldManager=kubectl"
	if args[0] == http.MethodGet {
		path = strings.TrimSuffix(path, "?fieldManager=kubectl")
	}
	req, err := http.NewRequestWithContext(context.Background(), args[0], path, bytes.NewReader(body))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/json")
	if args[0] == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	answer, err := n.access.Client().Do(req)
	ts.Check(err)
	defer func() { _ = answer.Body.Close() }()
	var out any
	ts.Check(json.NewDecoder(answer.Body).Decode(&out))
	shown, err := json.MarshalIndent(out, "", "  ")
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), string(shown))
	if failed := answer.StatusCode >= http.StatusBadRequest; failed != neg {
		ts.Fatalf("%s %s: %s", args[0], args[1], answer.Status)
	}
}

// uidCmd is "uid FILE": the last output is about the same object as the file.
func uidCmd(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: uid FILE")
	}
	of := func(name string) string {
		var object struct{ Metadata struct{ UID string } }
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &object))
		return object.Metadata.UID
	}
	if before, now := of(args[0]), of("stdout"); before == "" || before != now {
		ts.Fatalf("the object was %s and is %s", before, now)
	}
}
