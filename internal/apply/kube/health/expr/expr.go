// Package expr is the language of checks: CEL over `object`, the live object as
// the API server returns it. It knows nothing of Kubernetes, so that a check can
// be judged where it is read, before anything is applied.
package expr

import (
	"errors"
	"fmt"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
)

const (
	// longest is how many bytes an expression may have.
	longest = 4 << 10
	// mostCost is what one evaluation may cost, in CEL's own units (about one per
	// step): what the API server allows an expression of an admission policy.
	mostCost = 1_000_000
	// variable is the name of the live object.
	variable = "object"
)

// advice is the hint of every error of Compile.
const advice = `a check is a CEL expression over object that is true or false, such as object.status.?phase.orValue("") == "Ready"`

// Program is a compiled check. It may be used by several goroutines.
type Program struct {
	check   resource.Check
	healthy cel.Program // nil where the check has no such expression
	failed  cel.Program
}

// Compile reads a check. An empty expression says nothing. Errors are Rejected
// and name the expression and the place in it; their hint says what one looks
// like.
func Compile(check resource.Check) (*Program, error) {
	env, err := environment()
	if err != nil {
		return nil, err
	}
	p := &Program{check: check}
	if p.healthy, err = compile(env, "healthy", check.Healthy); err != nil {
		return nil, err
	}
	if p.failed, err = compile(env, "failed", check.Failed); err != nil {
		return nil, err
	}
	return p, nil
}

// environment has the standard functions, those on strings, and optional fields
// (object.?status.?phase), as the API server's own expressions do.
func environment() (*cel.Env, error) {
	env, err := cel.NewEnv(
		cel.Variable(variable, cel.DynType),
		cel.OptionalTypes(),
		cel.ParserExpressionSizeLimit(longest),
		ext.Strings(),
	)
	if err != nil {
		return nil, fmt.Errorf("make the environment of checks: %w", err)
	}
	return env, nil
}

func compile(env *cel.Env, name, text string) (cel.Program, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no expression, no program: both are the zero value of their kind
	}
	ast, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, refuse(name, text, err)
	}
	if t := ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, refuse(name, text, fmt.Errorf("it is of type %s", t))
	}
	program, err := env.Program(ast, cel.CostLimit(mostCost))
	if err != nil {
		return nil, refuse(name, text, err)
	}
	return program, nil
}

func refuse(name, text string, err error) error {
	shown := resource.Harmless(text, 200)
	return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("check %s: %q: %w", name, shown, err)), advice)
}

// Judge evaluates the check on a live object. Where neither expression decides,
// State is Progressing; where the check has no expression for healthy, State is
// empty: nothing is said. An expression that cannot be evaluated, such as one
// over a status that is not written yet, is not true, and its error is the
// reason.
func (p *Program) Judge(object map[string]any) resource.Health {
	bad, badErr := holds(p.failed, object)
	switch {
	case bad:
		return resource.Health{State: resource.Failed, Reason: "its check says failed: " + p.check.Failed}
	case p.healthy == nil:
		return resource.Health{}
	}
	well, err := holds(p.healthy, object)
	if well {
		return resource.Health{State: resource.Well}
	}
	reason := "its check does not hold yet: " + p.check.Healthy
	if err := errors.Join(err, badErr); err != nil {
		reason += " (" + err.Error() + ")"
	}
	return resource.Health{State: resource.Progressing, Reason: reason}
}

func holds(program cel.Program, object map[string]any) (bool, error) {
	if program == nil {
		return false, nil
	}
	out, _, err := program.Eval(map[string]any{variable: object})
	if err != nil {
		return false, fmt.Errorf("evaluate: %w", err)
	}
	truth, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it is of type %s, not true or false", out.Type().TypeName())
	}
	return truth, nil
}
