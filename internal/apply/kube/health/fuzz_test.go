package health_test

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

// FuzzOf: whatever an API server returns, there is a verdict of one of the four
// states, its reason is one short line, and a failure has one.
func FuzzOf(f *testing.F) {
	for _, name := range []string{"deployment-crash-loop", "deployment-image-pull", "statefulset-fix-held-up", "job-failed", "namespace-terminating"} {
		s := recorded(f, name)
		raw, err := json.Marshal(append([]any{s.object.Object}, each(s.parts)...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var trees []map[string]any
		if err := json.Unmarshal(raw, &trees); err != nil {
			t.Skip()
		}
		objects := make([]unstructured.Unstructured, len(trees))
		for i, tree := range trees {
			objects[i].Object = tree
		}
		now := time.Date(2026, 11, 21, 17, 40, 0, 0, time.UTC)
		for i := range objects {
			o := &objects[i]
			sane(t, health.Of(o, objects, nil, now))
			sane(t, health.Of(o, objects, &resource.Check{Healthy: "object.status.ok"}, now))
			health.Blame(o, objects, now)
			health.Stuck(o, objects)
			health.Parts(o)
			health.Settled(o, nil)
		}
	})
}

func each(objects []unstructured.Unstructured) []any {
	out := make([]any, len(objects))
	for i := range objects {
		out[i] = objects[i].Object
	}
	return out
}

func sane(t *testing.T, h resource.Health) {
	t.Helper()
	switch h.State {
	case resource.Absent, resource.Progressing, resource.Well, resource.Failed:
	default:
		t.Errorf("state %q", h.State)
	}
	if len(h.Reason) > 400 || strings.ContainsAny(h.Reason, "\n\r") {
		t.Errorf("reason %q", h.Reason)
	}
	if h.State == resource.Failed && h.Reason == "" {
		t.Error("fails for no reason")
	}
}
