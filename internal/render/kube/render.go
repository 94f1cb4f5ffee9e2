// Package kube turns one app's manifests, kustomization or chart into objects of
// a cluster. It runs in a child process: the content is untrusted, nothing comes
// from the environment, nothing from the network, and every path stays inside the
// repository.
package kube

import (
	"context"
	"errors"
	"fmt"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
	"syncd.io/syncd/internal/resource"
)

// Render builds an app for a cluster and returns its objects. The same request
// gives the same bytes. Errors are Rejected where the app's author has to mend
// something, Blocked where the host's owner has to; they name file, object and
// field.
func Render(ctx context.Context, req render.Request) (render.Answer, error) {
	r, err := repo.Open(req.Root)
	if err != nil {
		return render.Answer{}, err
	}
	defer r.Close()
	r.Track(nil, nil, req.Refused)
	if req.App.Error != "" {
		return render.Answer{}, mistake.Rejected(req.App.Hint, "%s", req.App.Error)
	}
	a := newApp(req, r)
	a.repo.Exists(a.settings()) // an input, read when the app was found
	objects, err := a.build(ctx)
	if err != nil {
		return render.Answer{}, mistake.Final(err, a.secrets())
	}
	return a.answer(objects)
}

// build goes from the app's directory to its objects.
func (a *app) build(ctx context.Context) ([]resource.Object, error) {
	if err := a.settle(); err != nil {
		return nil, err
	}
	manifests, err := a.manifests(ctx)
	if err != nil {
		return nil, err
	}
	if len(manifests) > a.req.MaxObjects {
		return nil, mistake.Rejected("`limits.objects` in syncd.yaml raises the limit", "%s: more than the limit of %d objects", a.dir, a.req.MaxObjects)
	}
	if len(manifests) == 0 {
		return nil, mistake.Classified(fault.Blocked, "held: what runs goes on; to remove it, delete the app's directory, which then asks for consent", fmt.Errorf("%s: the app has no objects", a.dir))
	}
	return a.objects(ctx, manifests)
}

func (a *app) answer(objects []resource.Object) (render.Answer, error) {
	answer := render.Answer{
		Objects: resource.Sorted(objects), Inputs: a.repo.Inputs(),
		Variables: a.variables.names(), Notes: a.sortedNotes(),
	}
	var size int64
	for _, o := range answer.Objects {
		size += int64(len(o.Spec))
	}
	if size > a.req.MaxBytes {
		return render.Answer{}, mistake.Rejected("`limits.renderSize` in syncd.yaml raises the limit",
			"%s: the app renders to %d bytes, more than the limit of %d", a.dir, size, a.req.MaxBytes)
	}
	return answer, nil
}

// settle reads the settings that decide what is built, and where it goes.
func (a *app) settle() error {
	k := a.req.App.Config.Kubernetes
	written, err := a.variables.fill(k.Path)
	if err != nil {
		return a.setting("path", hintOf(err), "%w", err)
	}
	dir, err := repo.Join(a.req.App.Dir, written)
	if err != nil {
		return a.setting("path", "name a directory of the repository", "%s: %w", written, err)
	}
	if a.dir, err = a.repo.Follow(dir); err != nil {
		return a.setting("path", "", "%s: %w", written, err)
	}
	if a.namespace, err = a.variables.fill(k.Namespace); err != nil {
		return a.setting("namespace", hintOf(err), "%w", err)
	}
	if a.namespace == "" {
		a.namespace = "default"
	}
	if bad := isLabel(a.namespace); bad != "" {
		return a.setting("namespace", "", "%q: %s", a.namespace, bad)
	}
	return nil
}

// ended tells the end of the context, if it has come.
func (a *app) ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("render %s: %w: %w", a.dir, ctx.Err(), cause)
	}
	return fmt.Errorf("render %s: %w", a.dir, ctx.Err())
}
