package health_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

// seen is what was found at one time: an object, and what belongs to it.
type seen struct {
	object *unstructured.Unstructured
	parts  []unstructured.Unstructured
	now    time.Time
}

func (s seen) health() resource.Health { return health.Of(s.object, s.parts, nil, s.now) }

// recorded reads what a real cluster (Kubernetes 1.36) said: testdata/NAME.yaml
// begins with the time of the recording; the object comes first, its parts follow.
func recorded(t testing.TB, name string) seen {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(raw), "\n")
	now, err := time.Parse("# now: "+time.RFC3339, head)
	if err != nil {
		t.Fatal(err)
	}
	objects := documents(t, raw)
	return seen{object: &objects[0], parts: objects[1:], now: now}
}

// written is an object as YAML, at a time of no matter.
func written(t *testing.T, text string) seen {
	t.Helper()
	return seen{object: &documents(t, []byte(text))[0]}
}

func documents(t testing.TB, raw []byte) []unstructured.Unstructured {
	t.Helper()
	var out []unstructured.Unstructured
	for dec := yaml.NewDecoder(bytes.NewReader(raw)); ; {
		var tree map[string]any
		if err := dec.Decode(&tree); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		var object unstructured.Unstructured
		if err := object.UnmarshalJSON(text); err != nil {
			t.Fatal(err)
		}
		out = append(out, object)
	}
}

// with returns the same with value at path of the object.
func (s seen) with(t *testing.T, value any, path ...string) seen {
	t.Helper()
	s.object = s.object.DeepCopy()
	if err := unstructured.SetNestedField(s.object.Object, value, path...); err != nil {
		t.Fatal(err)
	}
	return s
}

// put returns the same of an object that was last put at that time.
func (s seen) put(t *testing.T, at time.Time) seen {
	t.Helper()
	return s.with(t, []any{
		map[string]any{"manager": "other", "operation": "Apply", "time": s.now.Format(time.RFC3339)},
		map[string]any{"manager": health.Manager, "operation": "Update", "subresource": "status", "time": s.now.Format(time.RFC3339)},
		map[string]any{"manager": health.Manager, "operation": "Apply", "time": at.Format(time.RFC3339)},
	}, "metadata", "managedFields")
}

// after returns the same seen so much later.
func (s seen) after(d time.Duration) seen {
	s.now = s.now.Add(d)
	return s
}

// without returns the same without the parts of that kind.
func (s seen) without(kind string) seen {
	var parts []unstructured.Unstructured
	for _, part := range s.parts {
		if part.GetKind() != kind {
			parts = append(parts, part)
		}
	}
	s.parts = parts
	return s
}

// replacing returns the same with other text in its parts.
func (s seen) replacing(t *testing.T, old, with string) seen {
	t.Helper()
	parts := make([]unstructured.Unstructured, len(s.parts))
	found := false
	for i := range s.parts {
		text, err := s.parts[i].MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(text, []byte(old))
		if err := parts[i].UnmarshalJSON(bytes.ReplaceAll(text, []byte(old), []byte(with))); err != nil {
			t.Fatal(err)
		}
	}
	if !found {
		t.Fatalf("there is no %s to replace", old)
	}
	s.parts = parts
	return s
}

// is fails the test unless the health is of that state, for that reason.
func is(t *testing.T, s seen, state resource.State, reason string) {
	t.Helper()
	h := s.health()
	if h.State != state || h.Reason != reason {
		t.Errorf("is %s: %s\nwant %s: %s", h.State, h.Reason, state, reason)
	}
}
