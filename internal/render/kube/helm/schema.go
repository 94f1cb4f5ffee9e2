package helm

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"helm.sh/helm/v3/pkg/chart"
)

// schemaAt is where a schema seems to be; nothing is read there.
const schemaAt = "file:///values.schema.json"

// checkSchemas holds the values against values.schema.json of the chart and of its
// dependencies. Helm's own check would read files and ask servers that a schema
// names.
func checkSchemas(c *chart.Chart, values map[string]any) error {
	if c.Schema != nil {
		if err := checkSchema(c.Schema, values); err != nil {
			return rejected(valuesHint, "the values do not fit values.schema.json of chart %s: %w", c.Name(), err)
		}
	}
	for _, sub := range c.Dependencies() {
		given, ok := values[sub.Name()]
		if !ok || given == nil {
			continue
		}
		table, ok := given.(map[string]any)
		if !ok {
			return rejected("", "the values of chart %s under %s are no mapping", sub.Name(), sub.Name())
		}
		if err := checkSchemas(sub, table); err != nil {
			return err
		}
	}
	return nil
}

func checkSchema(schema []byte, values map[string]any) error {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		return fmt.Errorf("the schema is not JSON: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(nothingElse{})
	if err := compiler.AddResource(schemaAt, parsed); err != nil {
		return fmt.Errorf("the schema cannot be used: %w", err)
	}
	validator, err := compiler.Compile(schemaAt)
	if err != nil {
		return fmt.Errorf("the schema cannot be used: %w", err)
	}
	if err := validator.Validate(values); err != nil {
		var wrong *jsonschema.ValidationError
		if !errors.As(err, &wrong) {
			return errors.New("they cannot be checked") // what else there is may quote them
		}
		return errors.New(strings.Join(misfits(wrong), " "))
	}
	return nil
}

// misfits say where values do not fit, and why, each below what it is a part of. None
// shows a value: it may be a secret.
func misfits(e *jsonschema.ValidationError) []string {
	var out []string
	switch of := e.ErrorKind.(type) {
	case *kind.Schema:
	case *kind.Reference:
		if len(e.Causes) != 1 {
			out = append(out, misfit(e, "validation failed"))
		}
	case *kind.Pattern:
		out = append(out, misfit(e, fmt.Sprintf("does not match pattern %q", of.Want)))
	case *kind.Format:
		out = append(out, misfit(e, "is not valid "+of.Want))
	case *kind.ContentEncoding:
		out = append(out, misfit(e, "is not encoded in "+of.Want))
	case *kind.ContentMediaType:
		out = append(out, misfit(e, "is not of media type "+of.Want))
	case *kind.Minimum:
		out = append(out, misfit(e, "want at least "+of.Want.RatString()))
	case *kind.Maximum:
		out = append(out, misfit(e, "want at most "+of.Want.RatString()))
	case *kind.ExclusiveMinimum:
		out = append(out, misfit(e, "want more than "+of.Want.RatString()))
	case *kind.ExclusiveMaximum:
		out = append(out, misfit(e, "want less than "+of.Want.RatString()))
	case *kind.MultipleOf:
		out = append(out, misfit(e, "want a multiple of "+of.Want.RatString()))
	default: // these show what the schema wants, and names
		alone := *e
		alone.Causes = nil
		out = append(out, "- "+alone.Error())
	}
	for _, cause := range e.Causes {
		out = append(out, misfits(cause)...)
	}
	return out
}

func misfit(e *jsonschema.ValidationError, why string) string {
	alone := jsonschema.ValidationError{SchemaURL: e.SchemaURL, InstanceLocation: e.InstanceLocation, ErrorKind: &kind.Group{}}
	return "- " + strings.TrimSuffix(alone.Error(), "validation failed") + why
}

// nothingElse loads no other schema.
type nothingElse struct{}

// Load refuses what would be read from elsewhere; of a name without a place (urn:)
// anything goes, as with Helm.
func (nothingElse) Load(url string) (any, error) {
	if strings.HasPrefix(url, "urn:") {
		return true, nil
	}
	return nil, fmt.Errorf("it refers to %.200q, and other schemas are not read: put what it needs under $defs", url)
}
