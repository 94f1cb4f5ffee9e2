package helm

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
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
		text := strings.TrimPrefix(err.Error(), "jsonschema validation failed with '"+schemaAt+"#'\n")
		return fmt.Errorf("%s", strings.Join(strings.Fields(text), " "))
	}
	return nil
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
