package main

import (
	"path/filepath"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/sandbox"
	"syncd.io/syncd/internal/source"
)

// knownHostsFile, below the state directory, keeps the keys of SSH hosts that were
// trusted when they were met first.
const knownHostsFile = "known_hosts"

// openSource opens the repository, or something that says that none was named.
// anchors keeps which revision was accepted last.
func (w wiring) openSource(host config.Host, child sandbox.Child, anchors source.Anchors, open *closers) (reconcile.Source, error) {
	if host.Repo.URL == "" {
		return noRepository{}, nil
	}
	o := sourceOptions(host)
	o.Child, o.Anchors, o.Asked = child, w.anchors(anchors), w.meters.ofSource()
	repo, err := source.Open(o)
	if err != nil {
		return nil, err
	}
	open.add(func() error { repo.Close(); return nil })
	return repo, nil
}

// checkSource finds contradictions in what is said of the repository, before anything
// is opened.
func checkSource(host config.Host) error {
	if host.Repo.URL == "" {
		return nil
	}
	_, err := source.Open(sourceOptions(host))
	return err
}

func sourceOptions(host config.Host) source.Options {
	repo := host.Repo
	return source.Options{
		URL: repo.URL, Mirrors: repo.Mirrors, Ref: repo.Ref, Auth: repo.Auth, AllowRewrite: repo.AllowRewrite, Verify: repo.Verify, Timeout: repo.Timeout.D(),
		Dir: filepath.Join(host.State, commitsDir), KnownHosts: filepath.Join(host.State, knownHostsFile), Limits: host.Limits,
	}
}

// anchors is where the accepted revision is kept: who only reads keeps nothing.
func (w wiring) anchors(store source.Anchors) source.Anchors {
	if w.readOnly {
		return recalled{store}
	}
	return store
}

// recalled is a record that is read, and never written.
type recalled struct{ source.Anchors }

// SetAnchor keeps nothing.
func (recalled) SetAnchor(source.Anchor) error { return nil }

// Overrule keeps nothing: who only reads accepts nothing.
func (recalled) Overrule(source.Anchor, source.Word) error { return nil }
