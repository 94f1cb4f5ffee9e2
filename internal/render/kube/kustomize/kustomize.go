// Package kustomize builds kustomizations from the files of a repository. Nothing is
// fetched and nothing is run: what would need it is refused first.
package kustomize

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"path"
	"slices"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"

	"syncd.io/syncd/internal/render/kube/document"
	"syncd.io/syncd/internal/render/repo"
)

// Render builds the kustomization in a directory of the repository, without
// symlinks in its path, as `kustomize build` does, and returns its documents and
// notes. A file may lie anywhere in the repository. Errors are Rejected and name
// file and field.
func Render(ctx context.Context, r *repo.Repo, dir string) (docs []document.Document, notes []string, err error) {
	c := &checker{ctx: ctx, repo: r, seen: map[string]bool{}, places: map[string][]string{}}
	if err := c.directory(dir); err != nil {
		return nil, nil, err
	}
	k, err := c.load(dir)
	if err != nil {
		return nil, nil, err
	}
	if k.empty() {
		return nil, c.notes, nil
	}
	built, err := build(files{repo: r, instead: withOrigins(k, r)}, dir, c.ownSchema)
	if err != nil {
		return nil, nil, c.failed(k, err)
	}
	for _, res := range built.Resources() {
		doc, err := c.document(k, res)
		if err != nil {
			return nil, nil, err
		}
		docs = append(docs, doc)
	}
	slices.Sort(c.notes)
	return docs, c.notes, nil
}

// empty tells of a kustomization that says nothing.
func (k kustomization) empty() bool { return k.CheckEmpty() != nil }

// build runs kustomize. What is meant for kustomizations that are well-formed meets
// those that are not: a panic of the library is an error. It keeps in the process what
// it knows of kinds, and adds to that what a kustomization brings (openapi): one that
// does so begins with nothing, and leaves nothing to the next app of the child.
func build(f files, dir string, ownSchema bool) (built resmap.ResMap, err error) {
	if ownSchema {
		openapi.ResetOpenAPI()
	}
	defer func() {
		if r := recover(); r != nil {
			built, err = nil, errors.New("kustomize gave up on it")
		}
		if ownSchema || openapi.GetSchemaVersion() != openapi.DefaultOpenAPI {
			openapi.ResetOpenAPI()
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsNone // nothing lies outside the repository
	options.PluginConfig = types.DisabledPluginConfig()
	return krusty.MakeKustomizer(options).Run(f, path.Join("/", dir))
}

// withOrigins makes kustomize say which file each object comes from, where nothing
// speaks against it: the kustomization gets a field that it has not.
func withOrigins(k kustomization, r *repo.Repo) map[string][]byte {
	data, err := r.Read(k.file, maxFile)
	if err != nil || len(k.BuildMetadata) > 0 {
		return nil
	}
	longer := slices.Concat(bytes.TrimRight(data, "\r\n"), []byte("\nbuildMetadata: ["+types.OriginAnnotations+"]\n"))
	var again types.Kustomization
	if err := again.Unmarshal(longer); err != nil || len(again.BuildMetadata) != 1 {
		return nil
	}
	canonical, err := r.Follow(k.file)
	if err != nil {
		return nil
	}
	return map[string][]byte{k.file: longer, canonical: longer}
}

// document is one object of what was built.
func (c *checker) document(k kustomization, res *resource.Resource) (document.Document, error) {
	doc := document.Document{Source: k.file}
	if len(k.BuildMetadata) == 0 {
		origin, err := res.GetOrigin()
		if err == nil && origin != nil {
			doc.Source = source(k, cmp.Or(origin.Path, origin.ConfiguredIn))
		}
		if err := res.SetOrigin(nil); err != nil {
			return doc, c.failed(k, err)
		}
	}
	data, err := res.MarshalJSON()
	if err != nil {
		return doc, c.failed(k, err)
	}
	doc.YAML = data
	return doc, nil
}

// source is the repository path of an origin, which is written from the directory
// that is built.
func source(k kustomization, written string) string {
	if p := path.Join(k.dir, written); written != "" && repo.Local(p) {
		return p
	}
	return k.file
}
