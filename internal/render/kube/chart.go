package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render/kube/helm"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
)

// charted renders the chart of the directory, or the one that was fetched for the
// app.
func (a *app) charted(ctx context.Context) ([]manifest, error) {
	k := a.req.App.Config.Kubernetes.Helm
	in := helm.Input{Release: k.Release, Namespace: a.namespace, Set: map[string]string{}, Secrets: a.secrets()}
	if in.Release == "" {
		in.Release = a.req.App.Name
	}
	where, err := a.chart(&in)
	if err != nil {
		return nil, err
	}
	if in.Values, err = a.values(k.Values); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(k.Set)) {
		if in.Set[name], err = a.variables.fill(k.Set[name]); err != nil {
			return nil, a.setting("helm.set."+name, hintOf(err), "%w", err)
		}
	}
	docs, notes, err := helm.Render(ctx, in)
	if err != nil {
		return nil, inChart(where, err)
	}
	for _, note := range notes {
		a.note("%s: %s", where, note)
	}
	for i := range docs {
		docs[i].Source = path.Join(where, docs[i].Source)
	}
	return fromDocuments(docs, in.Secrets)
}

// chart finds the chart, and says where it is, for messages.
func (a *app) chart(in *helm.Input) (string, error) {
	remote := a.req.App.Config.Kubernetes.Helm.Chart
	switch {
	case remote == config.Chart{}:
		if refused, why := a.repo.Refused(a.dir); refused != "" {
			return "", mistake.Rejected("", "read %s: %s", refused, why)
		}
		in.Chart = a.repo.FS(a.dir)
		return a.dir, nil
	case remote.Repo == "":
		return "", a.setting("helm.chart.repo", "name the chart's repository, or remove `helm.chart` where the chart is in the directory", "missing")
	case a.req.Chart == "":
		return "", a.setting("helm.chart", "", "%s was not fetched", remote.Name)
	}
	data, err := readArchive(a.req.Chart)
	if err != nil {
		return "", fmt.Errorf("read the chart %s: %w", remote.Name, repo.Plain(err))
	}
	in.Archive = data
	return remote.Name, nil
}

// readArchive reads a chart that was fetched, which is no file of the repository.
func readArchive(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, config.MaxChart+1))
	if err == nil && len(data) > config.MaxChart {
		err = fault.As(fault.Rejected, fmt.Errorf("larger than %d MiB", config.MaxChart>>20))
	}
	return data, err
}

// values reads the files of values, which may lie anywhere in the repository.
func (a *app) values(written []string) ([]helm.ValuesFile, error) {
	var out []helm.ValuesFile
	for _, text := range written {
		name, err := a.variables.fill(text)
		if err != nil {
			return nil, a.setting("helm.values", hintOf(err), "%w", err)
		}
		file, err := repo.Join(a.req.App.Dir, name)
		if err != nil {
			return nil, a.setting("helm.values", "", "%s: %w", name, err)
		}
		data, err := a.repo.Read(file, maxFile)
		if err != nil {
			return nil, a.setting("helm.values", "", "%w", err)
		}
		out = append(out, helm.ValuesFile{Name: file, Data: data})
	}
	return out, nil
}

// inChart says which chart an error is about.
func inChart(where string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("render %s: %w", where, err)
	}
	return mistake.Classified(fault.Of(err), fault.Advice(err), fmt.Errorf("%s: %w", where, err))
}
