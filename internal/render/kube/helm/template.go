package helm

import (
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

// rendering is what a chart gave.
type rendering struct {
	chart *chart.Chart
	// files are what the templates gave, by the name that the engine gives them.
	files map[string]string
	// texts are the calls in what templates may give to tpl.
	texts []call
	// lookups are what the templates asked a cluster for.
	lookups []string
	// deprecated tells what the chart says of itself.
	deprecated bool
}

// once renders from the chart's files alone: rendering changes a chart and its
// values.
func (in Input) once(files []*loader.BufferedFile, when moment) (rendering, error) {
	caps, err := in.capabilities()
	if err != nil {
		return rendering{}, err
	}
	c, err := load(files, caps.KubeVersion)
	if err != nil {
		return rendering{}, err
	}
	top, err := in.top(c, caps)
	if err != nil {
		return rendering{}, err
	}
	when.set(c)
	all, _ := top["Values"].(chartutil.Values)
	texts := texts(c, all.AsMap())
	asked := &lookups{}
	out, err := engine.RenderWithClientProvider(c, top, asked)
	if err != nil {
		return rendering{}, templateError(c.Name(), err)
	}
	maps.DeleteFunc(out, func(name, _ string) bool { return strings.HasSuffix(name, "NOTES.txt") })
	return rendering{chart: c, files: out, texts: texts, lookups: asked.sorted(), deprecated: c.Metadata.Deprecated}, nil
}

// top is what templates see: .Values, .Release, .Capabilities and .Chart.
func (in Input) top(c *chart.Chart, caps *chartutil.Capabilities) (chartutil.Values, error) {
	values, err := in.values()
	if err != nil {
		return nil, err
	}
	if err := chartutil.ProcessDependenciesWithMerge(c, values); err != nil {
		return nil, rejected("", "work out the chart's dependencies: %w", err)
	}
	release := chartutil.ReleaseOptions{Name: in.Release, Namespace: in.Namespace, Revision: 1, IsInstall: true}
	top, err := chartutil.ToRenderValuesWithSchemaValidation(c, values, release, caps, true)
	if err != nil {
		return nil, rejected("", "merge the chart's values: %w", err)
	}
	all, _ := top["Values"].(chartutil.Values) // what else it is has nothing to check
	return top, checkSchemas(c, all)
}

// notes are what is worth saying of the chart as a whole.
func (r rendering) notes() []string {
	var out []string
	if r.deprecated {
		out = append(out, "Chart.yaml: the chart says that it is deprecated")
	}
	if len(r.lookups) > 0 {
		out = append(out, "lookup finds nothing here, for templates see no cluster: "+strings.Join(r.lookups, ", ")+at(r.callers("lookup")))
	}
	return out
}

// callers are the places in the templates where a function stands, in order.
func (r rendering) callers(names ...string) []call {
	var out []call
	eachTemplate(r.chart, func(name string, file *chart.File) {
		for _, c := range calls(inside(r.chart.Name(), name), string(file.Data)) {
			if slices.Contains(names, c.function) {
				out = append(out, c)
			}
		}
	})
	slices.SortStableFunc(out, func(a, b call) int { return strings.Compare(a.file, b.file) })
	return out
}

// eachTemplate visits those of a chart and of its dependencies, by the engine's
// names.
func eachTemplate(c *chart.Chart, visit func(name string, file *chart.File)) {
	for _, t := range c.Templates {
		if t != nil {
			visit(c.ChartFullPath()+"/"+t.Name, t)
		}
	}
	for _, d := range c.Dependencies() {
		eachTemplate(d, visit)
	}
}
