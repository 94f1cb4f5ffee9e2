// Package helm renders charts as `helm template` does, from bytes alone: it asks no
// cluster and no network, and the same bytes give the same documents. It runs in
// the child, for a chart's templates are a program that somebody else wrote.
package helm

import (
	"context"
	"fmt"
	"io/fs"

	"helm.sh/helm/v3/pkg/chartutil"

	"syncd.io/syncd/internal/render/kube/document"
	"syncd.io/syncd/internal/render/mistake"
)

// DefaultKubeVersion is what .Capabilities.KubeVersion says where nobody says
// otherwise: that of the API groups that the library knows, which are what
// .Capabilities.APIVersions holds. It is fixed, so that an upgrade of a cluster
// does not change what a commit renders to.
const DefaultKubeVersion = "v1.37.0"

// Input is a chart and all that its rendering depends on.
type Input struct {
	// Chart is the chart's directory; links in it are followed as far as it lets
	// them be.
	Chart fs.FS
	// Archive is a packed chart (.tgz), instead of Chart.
	Archive []byte
	// Release and Namespace are .Release.Name and .Release.Namespace.
	Release, Namespace string
	// Values are merged in order over the chart's own: later ones win.
	Values []ValuesFile
	// Set are single values by dotted path, as after `helm --set`: true, false, null
	// and whole numbers are what they look like, everything else is text, commas and
	// braces too. They win over Values.
	Set map[string]string
	// APIVersions are known in addition to the library's.
	APIVersions []string
	// KubeVersion is the cluster's; empty is DefaultKubeVersion.
	KubeVersion string
	// Secrets are values among Set that no error and no note may show.
	Secrets []string
}

// ValuesFile is one file of values.
type ValuesFile struct {
	// Name is for messages.
	Name string
	Data []byte
}

// Render gives the chart's documents: those of crds/ first, then those of the
// templates in the order of their names. Notes are what was understood and left out.
// The error is Rejected where the chart or its values are to blame; it names the
// template and its line. What it quotes in part is masked; who calls masks the rest.
func Render(ctx context.Context, in Input) (docs []document.Document, notes []string, err error) {
	defer func() {
		if r := recover(); r != nil { // what is meant for charts that are well-formed meets those that are not
			docs, notes, err = nil, nil, rejected("", "the chart cannot be rendered: %.300s", mistake.Masked(fmt.Sprint(r), in.Secrets))
		}
	}()
	if err := chartutil.ValidateReleaseName(in.Release); err != nil {
		return nil, nil, rejected("name it with kubernetes.helm.release", "the release's name %.60q cannot be used: want lower-case letters, digits, - and ., at most 53", in.Release)
	}
	files, err := in.files()
	if err != nil {
		return nil, nil, err
	}
	first, err := in.once(files, present())
	if err != nil {
		return nil, nil, err
	}
	if err := in.again(ctx, files, first); err != nil {
		return nil, nil, err
	}
	docs, left, err := first.documents(in.Secrets)
	if err != nil {
		return nil, nil, err
	}
	return docs, append(first.notes(), left...), nil
}
