// Package compose turns one app's Compose files into objects. It runs in a
// child process: the content is untrusted, nothing comes from the environment,
// nothing from the network, and every path stays inside the repository.
package compose

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/render/find"
	"syncd.io/syncd/internal/render/mistake"
	"syncd.io/syncd/internal/render/repo"
	"syncd.io/syncd/internal/resource"
)

// Render loads an app's Compose files and returns its objects. The same request
// gives the same bytes. Errors are Rejected where the app's author has to mend
// something, Blocked where the host's owner has to; they name file, service and
// field.
func Render(ctx context.Context, req render.Request) (render.Answer, error) {
	r, err := repo.Open(req.Root)
	if err != nil {
		return render.Answer{}, err
	}
	defer r.Close()
	r.Track(req.Tracked, req.Paths, req.Refused)
	a := newApp(req, r)
	if req.App.Error != "" {
		return render.Answer{}, mistake.Rejected(req.App.Hint, "%s", req.App.Error)
	}
	a.repo.Exists(a.path(find.Settings)) // an input, read when the app was found
	if err := a.load(ctx); err != nil {
		return render.Answer{}, a.final(err)
	}
	objects, err := a.objects(ctx)
	if err != nil {
		return render.Answer{}, a.final(err)
	}
	a.noteNested()
	return a.answer(objects)
}

// final takes secret values out of an error. What a library said went through
// text before, which has to mask before it cuts.
func (a *app) final(err error) error { return mistake.Final(err, a.secrets()) }

func (a *app) answer(objects []resource.Object) (render.Answer, error) {
	answer := render.Answer{
		Objects: resource.Sorted(objects), Inputs: a.repo.Inputs(),
		Variables: a.variables.names(),
	}
	for _, note := range slices.Sorted(maps.Keys(a.notes)) {
		answer.Notes = append(answer.Notes, mistake.Masked(note, a.secrets()))
	}
	for _, key := range slices.Sorted(maps.Keys(a.mounts)) {
		answer.Mounts = append(answer.Mounts, a.mounts[key])
	}
	var size int64
	for _, o := range answer.Objects {
		size += int64(len(o.Spec))
	}
	for _, m := range answer.Mounts {
		size += int64(len(m.Content))
	}
	if size > a.req.MaxBytes {
		return render.Answer{}, mistake.Rejected("`limits.renderSize` in syncd.yaml raises the limit",
			"%s: the app renders to %d bytes, more than the limit of %d", a.index.main, size, a.req.MaxBytes)
	}
	return answer, nil
}

// objects makes all objects, within their limit. Several services' errors come
// together.
func (a *app) objects(ctx context.Context) ([]resource.Object, error) {
	if err := a.count(); err != nil {
		return nil, err
	}
	if err := a.plan(); err != nil {
		return nil, err
	}
	var out []resource.Object
	var errs []error
	for _, name := range a.project.ServiceNames() {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("render %s: %w", a.index.main, context.Cause(ctx))
		}
		objects, err := a.service(a.project.Services[name])
		if err != nil {
			errs = append(errs, err)
			if len(errs) == mistake.MaxProblems {
				break
			}
		}
		if out = append(out, objects...); len(out) > a.req.MaxObjects {
			return nil, a.tooMany()
		}
	}
	shared, err := a.shared()
	if err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, mistake.Joined(errs)
	}
	if out = append(out, shared...); len(out) > a.req.MaxObjects {
		return nil, a.tooMany()
	}
	return out, nil
}

func (a *app) tooMany() error {
	return mistake.Rejected("`limits.objects` in syncd.yaml raises the limit", "%s: more than the limit of %d objects", a.index.main, a.req.MaxObjects)
}

// count bounds the objects before one is made, and never lets "nothing" pass
// for a wish.
func (a *app) count() error {
	total := 0
	for _, name := range a.project.ServiceNames() {
		s := a.project.Services[name]
		replicas := a.replicas(s)
		if replicas < 0 || replicas > a.req.MaxObjects || replicas > maxReplicas {
			return a.reject(name, replicaField(s), "`limits.objects` in syncd.yaml raises the limit", "%d replicas are more than the limit of %d objects", replicas, a.req.MaxObjects)
		}
		if total += replicas; total > a.req.MaxObjects {
			return a.tooMany()
		}
	}
	if len(a.project.Services) == 0 {
		return mistake.Classified(fault.Blocked, "held: what runs goes on; to remove it, delete the app's directory, which then asks for consent", fmt.Errorf("%s: the app has no services", a.index.main))
	}
	return nil
}
