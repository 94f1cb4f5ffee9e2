package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"syncd.io/syncd/internal/apply/docker"
	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pack"
	"syncd.io/syncd/internal/render"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
)

// packing is the making of one pack.
type packing struct {
	host config.Host
	// fixed tells that the apps of one host are meant, and not all.
	fixed bool
	flags packFlags
	// dir is where the work is done; tell hears how it goes.
	dir  string
	tell func(string)
}

// gather puts all that the pack holds below members.
func (p *packing) gather(ctx context.Context) (pack.Manifest, error) {
	child, err := sandbox.Find(ctx)
	if err != nil {
		return pack.Manifest{}, err
	}
	o := sourceOptions(p.host)
	o.Child, o.Dir = child, filepath.Join(p.dir, commitsDir)
	repo, err := source.Open(o)
	if err != nil {
		return pack.Manifest{}, err
	}
	defer repo.Close()
	receipt, err := p.receipt()
	if err != nil {
		return pack.Manifest{}, err
	}
	m := pack.Manifest{Made: time.Now().UTC(), By: "syncd " + thisBuild().Version}
	if m.To, err = repo.Resolve(ctx); err != nil {
		return m, err
	}
	if m.Since, err = p.since(ctx, repo, receipt); err != nil {
		return m, err
	}
	m.After = receipt.Pack
	if !slices.Contains(m.Since, m.To) {
		if err := p.history(ctx, repo, &m, receipt); err != nil {
			return m, err
		}
	}
	m.Images, err = p.images(ctx, repo, child, m.To, receipt)
	if err != nil {
		return m, err
	}
	return m, errors.Join(p.trim(m.Images), repo.Collect(m.To))
}

// history writes the bundle. Where the other side has a revision that is no part of the
// history any more, it gets all of it.
func (p *packing) history(ctx context.Context, repo *source.Repository, m *pack.Manifest, receipt pack.Receipt) error {
	out, err := repo.Bundle(ctx, m.To, m.Since, p.bundle())
	if fault.Of(err) == fault.Rejected && receipt.Commit != "" {
		since := slices.DeleteFunc(slices.Clone(m.Since), func(hash string) bool { return hash == receipt.Commit })
		again, failed := repo.Bundle(ctx, m.To, since, p.bundle())
		if failed == nil {
			p.tell(fmt.Sprintf("revision %.10s, which the receipt names, is no part of the history any more: the pack builds on nothing of it", receipt.Commit))
			out, err, m.Since = again, nil, since
		}
	}
	m.Ref, m.Commits = out.Ref, out.Commits
	return err
}

func (p *packing) receipt() (pack.Receipt, error) {
	if p.flags.receipt == "" {
		return pack.Receipt{}, nil
	}
	return pack.ReadReceipt(p.flags.receipt)
}

// since are the commits that the other side has.
func (p *packing) since(ctx context.Context, repo *source.Repository, receipt pack.Receipt) ([]string, error) {
	var out []string
	if receipt.Commit != "" {
		out = append(out, receipt.Commit)
	}
	for _, name := range p.flags.since {
		commit, err := repo.ResolveRef(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("--since %s: %w", name, err)
		}
		out = append(out, commit)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// images gathers those that the revision's apps need.
func (p *packing) images(ctx context.Context, repo *source.Repository, child sandbox.Child, commit string, receipt pack.Receipt) (out []pack.Image, err error) {
	if p.flags.noImages {
		return nil, nil
	}
	names, err := p.names(ctx, repo, child, commit)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	engine, platform, err := p.engine(ctx)
	if err != nil {
		return nil, err
	}
	if engine != nil {
		defer func() { err = errors.Join(err, engine.Close()) }()
	}
	scratch, err := os.MkdirTemp(p.work(), "saved-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for images: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	collector, err := collectorOf(p.host, engine, scratch, platformsFor(p.flags.platforms, platform, p.host), p.tell)
	if err != nil {
		return nil, err
	}
	packed, err := collector.Collect(ctx, names, receipt.Has, p.layout())
	for _, one := range packed {
		out = append(out, pack.Image(one))
	}
	return out, err
}

// engine is the one here, where there is one: it may have images that nobody else has.
func (p *packing) engine(ctx context.Context) (engine *docker.Engine, platform string, err error) {
	if p.host.Kubernetes != nil {
		return nil, "", nil
	}
	engine, err = docker.Open(ctx, docker.Options{Host: p.host.Docker})
	if fault.Of(err) == fault.Unreachable && p.host.Docker == "" {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	platform, err = engine.Platform(ctx)
	return engine, platform, err
}

// names are the images that the apps of a revision run, in order.
func (p *packing) names(ctx context.Context, repo *source.Repository, child sandbox.Child, commit string) ([]string, error) {
	snapshot, err := repo.Load(ctx, commit)
	if err != nil {
		return nil, err
	}
	var names []string
	v := &validation{
		host: p.host, child: &render.Child{Sandbox: child, Limits: p.host.Limits}, snapshot: snapshot, fixed: p.fixed,
		took: func(objects []resource.Object) { names = append(names, imagesOf(objects)...) },
	}
	verdicts, err := v.all(ctx)
	if err != nil {
		return nil, err
	}
	if err := unrendered(verdicts); err != nil {
		return nil, err
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// unrendered is the error for apps whose images cannot be known.
func unrendered(verdicts []verdict) error {
	for _, v := range verdicts {
		for _, p := range append(v.Problems, v.Warnings...) {
			if v.Objects > 0 {
				continue // it renders, and a person is only told something
			}
			err := fault.As(fault.Rejected, fmt.Errorf("the images of app %s cannot be known: %s", v.App, p.Text))
			return fault.Hint(err, "mend it, give the settings of the host that it is for (--config), or leave images out (--no-images)")
		}
	}
	return nil
}

// trim removes from the layout what a broken off try has left there and this pack
// does not need.
func (p *packing) trim(images []pack.Image) error {
	needed := map[string]bool{}
	for _, image := range images {
		for _, digest := range image.Blobs {
			needed[strings.TrimPrefix(digest, "sha256:")] = true
		}
	}
	if len(images) == 0 {
		return os.RemoveAll(p.layout())
	}
	blobs, err := filepath.Glob(filepath.Join(p.layout(), "blobs", "sha256", "*"))
	hidden, err2 := filepath.Glob(filepath.Join(p.layout(), "blobs", "sha256", ".*"))
	all := errors.Join(err, err2)
	for _, file := range append(blobs, hidden...) {
		if !needed[filepath.Base(file)] {
			all = errors.Join(all, os.Remove(file))
		}
	}
	return all
}

// lockDir keeps others from working in a directory.
func lockDir(dir string) (unlock func() error, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}
