package expr_test

import (
	"errors"
	"strings"
	"testing"

	"syncd.io/syncd/internal/apply/kube/health/expr"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

func object() map[string]any {
	return map[string]any{
		"kind": "Certificate",
		"spec": map[string]any{"size": int64(3), "share": 0.5},
		"status": map[string]any{
			"phase": "Ready", "ok": true,
			"conditions": []any{map[string]any{"type": "Ready", "status": "True"}},
		},
	}
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		check resource.Check
		want  resource.State
		says  string
	}{
		"a field":           {resource.Check{Healthy: `object.status.phase == "Ready"`}, resource.Well, ""},
		"a field of truth":  {resource.Check{Healthy: `object.status.ok`}, resource.Well, ""},
		"a condition":       {resource.Check{Healthy: `object.status.conditions.exists(c, c.type == "Ready" && c.status == "True")`}, resource.Well, ""},
		"numbers":           {resource.Check{Healthy: `object.spec.size >= 3 && object.spec.share < 1.0`}, resource.Well, ""},
		"an optional field": {resource.Check{Healthy: `object.status.?url.orValue("") == ""`}, resource.Well, ""},
		"strings":           {resource.Check{Healthy: `object.status.phase.lowerAscii() == "ready"`}, resource.Well, ""},
		"not yet":           {resource.Check{Healthy: `object.status.phase == "Done"`}, resource.Progressing, "does not hold yet"},
		"no such field":     {resource.Check{Healthy: `object.status.url != ""`}, resource.Progressing, "no such key: url"},
		"not a truth":       {resource.Check{Healthy: `object.status.phase`}, resource.Progressing, "not true or false"},
		"failed first":      {resource.Check{Healthy: `true`, Failed: `object.status.ok`}, resource.Failed, "says failed"},
		"failed unknown":    {resource.Check{Healthy: `false`, Failed: `object.status.error != ""`}, resource.Progressing, "no such key: error"},
		"nothing":           {resource.Check{}, "", ""},
		"only failed":       {resource.Check{Failed: `false`}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := expr.Compile(c.check)
			if err != nil {
				t.Fatal(err)
			}
			if h := p.Judge(object()); h.State != c.want || !strings.Contains(h.Reason, c.says) {
				t.Errorf("%+v", h)
			}
		})
	}
}

func TestAnExpressionThatIsNotOneIsRejectedWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		`object.`:                       "Syntax error",
		`object.status.phase = "Ready"`: "Syntax error",
		`"Ready"`:                       "it is of type string",
		`self.status.ok`:                "undeclared reference to 'self'",
		`object.status.ok.frobnicate()`: "undeclared reference to 'frobnicate'",
		strings.Repeat("(", 5000):       "size exceeds limit",
	} {
		_, err := expr.Compile(resource.Check{Failed: text})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "check failed") {
			t.Errorf("%.40s: %v", text, err)
			continue
		}
		if fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
			t.Errorf("%.40s: class %s, hint %q", text, fault.Of(err), fault.Advice(err))
		}
	}
}

func TestAnExpressionThatCostsTooMuchIsStopped(t *testing.T) {
	all := make([]any, 1000)
	for i := range all {
		all[i] = int64(i)
	}
	p, err := expr.Compile(resource.Check{Healthy: `object.l.all(a, object.l.all(b, object.l.all(c, a + b + c >= 0)))`})
	if err != nil {
		t.Fatal(err)
	}
	h := p.Judge(map[string]any{"l": all})
	if h.State != resource.Progressing || !strings.Contains(h.Reason, "cost limit exceeded") {
		t.Errorf("%+v", h)
	}
}

// FuzzCompile: any text is a check or is rejected, and a check judges anything.
func FuzzCompile(f *testing.F) {
	f.Add(`object.status.conditions.exists(c, c.type == "Ready" && c.status == "True")`)
	f.Add(`object.?status.phase.orValue("") in ["Ready", "Done"]`)
	f.Add(strings.Repeat("!", 4000) + "true")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := expr.Compile(resource.Check{Healthy: text, Failed: text})
		if err != nil {
			if fault.Of(err) != fault.Rejected {
				t.Errorf("class %s: %v", fault.Of(err), err)
			}
			return
		}
		if h := p.Judge(object()); h.State == resource.Absent {
			t.Errorf("%+v", h)
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := expr.Compile(resource.Check{Healthy: `object.status.conditions.exists(c, c.type == "Ready" && c.status == "True")`}); err != nil {
			b.Fatal(errors.Unwrap(err))
		}
	}
}
