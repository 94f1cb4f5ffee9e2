package helm

import (
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
)

// load makes a chart of its files, and refuses one that cannot be installed.
func load(files []*loader.BufferedFile, kube chartutil.KubeVersion) (*chart.Chart, error) {
	c, err := loader.LoadFiles(files)
	if err != nil {
		return nil, rejected("", "load the chart: %w", err)
	}
	md := c.Metadata
	switch {
	case md.APIVersion != chart.APIVersionV1 && md.APIVersion != chart.APIVersionV2:
		return nil, rejected("", "Chart.yaml: apiVersion: %.40q is none that is known: want v1 or v2", md.APIVersion)
	case md.Type != "" && md.Type != "application":
		return nil, rejected("name it as a dependency of a chart of type application", "Chart.yaml: type: %s charts cannot be installed", md.Type)
	case md.KubeVersion != "" && !chartutil.IsCompatibleRange(md.KubeVersion, kube.Version):
		return nil, rejected("the version that charts are rendered for is fixed: see the documentation of Helm charts", "Chart.yaml: kubeVersion: the chart wants Kubernetes %.100s, and is rendered for %s", md.KubeVersion, kube.Version)
	}
	if err := unambiguous(c); err != nil {
		return nil, err
	}
	return c, vendored(c)
}

// unambiguous refuses charts of one name and version, also below dependencies: Helm
// takes any one of them.
func unambiguous(c *chart.Chart) error {
	seen := map[string]bool{}
	for _, d := range c.Dependencies() {
		is := d.Name() + " " + d.Metadata.Version
		if seen[is] {
			return rejected("remove the one that is not meant", "charts/ of chart %s has %s twice", c.Name(), is)
		}
		seen[is] = true
		if err := unambiguous(d); err != nil {
			return err
		}
	}
	return nil
}

// vendored holds what Chart.yaml asks for against what charts/ has. Helm itself
// passes over a dependency of a wrong version, and takes any one of several.
func vendored(c *chart.Chart) error {
	var missing []string
	for _, dep := range c.Metadata.Dependencies {
		if dep == nil {
			return rejected("", "Chart.yaml: dependencies: an entry is empty")
		}
		there := named(c, dep.Name)
		fits := slices.DeleteFunc(slices.Clone(there), func(d *chart.Chart) bool {
			return !chartutil.IsCompatibleRange(dep.Version, d.Metadata.Version)
		})
		switch {
		case len(there) == 0:
			missing = append(missing, strings.TrimSpace(dep.Name+" "+dep.Version))
		case len(fits) == 0:
			return rejected(buildHint, "Chart.yaml asks for %s %s, and charts/ has %s", dep.Name, dep.Version, versions(there))
		case len(fits) > 1:
			return rejected("remove from charts/ the one that is not meant", "Chart.yaml asks for %s %s, and charts/ has several that fit: %s", dep.Name, dep.Version, versions(fits))
		}
	}
	if len(missing) > 0 {
		return rejected(buildHint, "Chart.yaml asks for what is not in charts/: %s", strings.Join(missing, ", "))
	}
	return nil
}

func named(c *chart.Chart, name string) []*chart.Chart {
	var out []*chart.Chart
	for _, d := range c.Dependencies() {
		if d.Name() == name {
			out = append(out, d)
		}
	}
	return out
}

func versions(charts []*chart.Chart) string {
	var out []string
	for _, c := range charts {
		out = append(out, c.Name()+" "+c.Metadata.Version)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
