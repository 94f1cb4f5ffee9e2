package kube

import (
	"context"
	"path"
	"strconv"
	"strings"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/kube/document"
	"syncd.io/syncd/internal/render/kube/kustomize"
	"syncd.io/syncd/internal/render/syntax"
)

// manifests builds what the directory holds: a kustomization, a chart, or plain
// manifests. A List becomes its items.
func (a *app) manifests(ctx context.Context) ([]manifest, error) {
	built, err := a.built(ctx)
	if err != nil {
		return nil, err
	}
	var out []manifest
	for _, m := range built {
		items, err := m.items(0)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	return out, nil
}

func (a *app) built(ctx context.Context) ([]manifest, error) {
	kustomization, chart := a.first(find.Kustomizations()...), a.first(find.Chart)
	remote := a.req.App.Config.Kubernetes.Helm.Chart != config.Chart{}
	switch key := a.helmSetting(); {
	case kustomization != "" && key != "":
		return nil, a.setting(key, "remove it, or let `kubernetes.path` name a directory without a kustomization", "%s is a kustomization, which is what is built", kustomization)
	case kustomization != "":
		return a.kustomized(ctx)
	case chart != "" && remote:
		return nil, a.setting("helm.chart", "remove it, or let `kubernetes.path` name a directory without a chart", "%s is a chart too, and one is built", chart)
	case chart != "" || remote:
		return a.charted(ctx)
	case key != "":
		return nil, a.setting(key, "remove it, or let `kubernetes.path` name the directory of a chart", "%s has no chart, and no `helm.chart` is named", a.dir)
	default:
		return a.plain(ctx)
	}
}

// helmSetting is a setting that is for charts alone; "" where there is none. One that
// could do nothing is an error: who wrote it thinks otherwise.
func (a *app) helmSetting() string {
	switch k := a.req.App.Config.Kubernetes.Helm; {
	case k.Chart != config.Chart{}:
		return "helm.chart"
	case len(k.Values) > 0:
		return "helm.values"
	case len(k.Set) > 0:
		return "helm.set"
	case k.Release != "":
		return "helm.release"
	}
	return ""
}

func (a *app) kustomized(ctx context.Context) ([]manifest, error) {
	docs, notes, err := kustomize.Render(ctx, a.repo, a.dir)
	if err != nil {
		return nil, err
	}
	for _, note := range notes {
		a.note("%s", note)
	}
	return fromDocuments(docs, nil)
}

// first returns the path of the first of names that the directory holds, "" where
// it holds none. All of them are inputs.
func (a *app) first(names ...string) string {
	found := ""
	for _, name := range names {
		if p := path.Join(a.dir, name); a.repo.Exists(p) && found == "" {
			found = p
		}
	}
	return found
}

// fromDocuments reads what another renderer made. The secrets may be in it.
func fromDocuments(docs []document.Document, secrets []string) ([]manifest, error) {
	var out []manifest
	for _, d := range docs {
		manifests, err := parse(d.Source, d.YAML)
		if err != nil {
			return nil, err
		}
		for _, m := range manifests {
			m.lines, m.hook, m.weight, m.secrets = false, d.Hook, d.Weight, secrets
			out = append(out, m)
		}
	}
	return out, nil
}

// items are the objects of a List, in order; the object itself where it is none.
func (m manifest) items(depth int) ([]manifest, error) {
	kind := text(m.tree["kind"])
	list, isList := m.list(kind)
	if !isList {
		return []manifest{m}, nil
	}
	if depth == maxList {
		return nil, m.reject([]string{"items"}, "", "more than %d lists within each other", maxList)
	}
	_, nodes := syntax.Child(m.node, "items")
	var out []manifest
	for i, item := range list {
		tree, ok := item.(map[string]any)
		if !ok {
			return nil, m.reject([]string{"items", strconv.Itoa(i)}, "", "no object")
		}
		of := m
		of.tree, of.node = tree, m.node
		if _, node := syntax.Child(nodes, strconv.Itoa(i)); node != nil {
			of.node = syntax.Target(node)
		}
		if kind != "List" { // the items of a DeploymentList may leave out what they are
			of.inherit(m, strings.TrimSuffix(kind, "List"))
		}
		items, err := of.items(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
	}
	return out, nil
}

// list are a List's items. A kind that ends so is one only where it has items:
// ManagedPrefixList is a kind like any other.
func (m manifest) list(kind string) (items []any, is bool) {
	items, is = m.tree["items"].([]any)
	if written, there := m.tree["items"]; written == nil {
		is = there || kind == "List" && text(m.tree["apiVersion"]) == "v1"
	}
	return items, is && strings.HasSuffix(kind, "List")
}

// inherit gives an item of a typed list its type.
func (m manifest) inherit(list manifest, kind string) {
	if m.tree["kind"] == nil && m.tree["apiVersion"] == nil {
		m.tree["kind"], m.tree["apiVersion"] = kind, list.tree["apiVersion"]
	}
}
