package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/server"
	"syncd.io/syncd/internal/source/remote"
)

// agent is who carries out a verb: the running one, or this process.
type agent struct {
	reconcile.Asker
	reconcile.Actor
	close func() error
}

// use finds the agent, lets do work with it, and closes it.
func (c *cli) use(ctx context.Context, w wiring, do func(*agent) error) error {
	a, err := c.agent(ctx, w)
	if err != nil {
		return err
	}
	err = do(a)
	var code exitCode
	if closed := a.close(); closed != nil && (err == nil || errors.As(err, &code)) {
		return closed
	}
	return err
}

// agent is the one that answers at the socket; where none does, one is made here,
// under the lock of the state directory.
func (c *cli) agent(ctx context.Context, w wiring) (*agent, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	client, about, err := c.flags.running(ctx, s.host, config.Host{}.Defaults().Socket)
	switch {
	case err == nil:
		return &agent{client, client, func() error { return nil }}, errors.Join(c.flags.worksOn(s.host, about), c.flags.fits(s.host, about))
	case !errors.Is(err, server.ErrNoAgent):
		return nil, err
	case s.unread != nil:
		return nil, s.unread
	}
	w.note = c.note
	local, done, err := openLocal(ctx, s.host, w)
	if err != nil {
		return nil, err
	}
	return &agent{local, local, done}, nil
}

// running finds the agent that answers: at the host's socket, or, where only
// --state names it, at the usual one, if that agent works on that directory.
func (f *flags) running(ctx context.Context, host config.Host, usual string) (server.Client, server.About, error) {
	client := server.Client{Socket: host.Socket}
	about, err := client.About(ctx)
	if !errors.Is(err, server.ErrNoAgent) || f.state == "" || f.socket != "" {
		return client, about, err
	}
	other := server.Client{Socket: usual}
	if that, asked := other.About(ctx); asked == nil && that.State == host.State {
		return other, that, nil
	}
	return client, about, err
}

// worksOn refuses an agent that works on another state directory than the named
// configuration: its apps are not those that are meant.
func (f *flags) worksOn(want config.Host, about server.About) error {
	if f.config == "" || f.socket != "" || about.State == want.State {
		return nil
	}
	err := fmt.Errorf("the agent at %s works on %s, and %s names %s", want.Socket, about.State, f.config, want.State)
	return fault.Hint(fault.As(fault.Blocked, err), "give that configuration a socket of its own: socket: "+want.State+"/syncd.sock")
}

// fits refuses an agent that follows something else than the flags say.
func (f *flags) fits(want config.Host, about server.About) error {
	if !f.zeroConfig() {
		return nil
	}
	for _, x := range []struct{ flag, given, wanted, has string }{
		{"--repo", f.repo, shown(want.Repo.URL), about.Repo},
		{"--path", f.path, want.Repo.Path, about.Path},
		{"--branch, --tag or --commit", f.branch + f.tag + f.commit, refName(want.Repo.Ref), about.Ref},
	} {
		if x.given != "" && x.wanted != x.has {
			err := errors.New("an agent runs here, and " + x.flag + " is not what it follows: " + cmp.Or(x.has, "the default"))
			return fault.Hint(fault.As(fault.Blocked, err), "leave the flag out to talk to that agent, or give another --state to work beside it")
		}
	}
	return nil
}

// shown is how a repository's address is shown: without a password.
func shown(url string) string {
	addr, err := remote.Parse(url)
	if err != nil {
		return ""
	}
	return addr.URL
}

func refName(r config.Ref) string { return cmp.Or(r.Branch, r.Tag, r.Commit) }

// who is the person at the keyboard, behind sudo too.
func who() string {
	if os.Geteuid() == 0 && os.Getenv("SUDO_USER") != "" {
		return os.Getenv("SUDO_USER")
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// known explains an error about apps: where one of them is unknown, it names the
// nearest.
func known(ctx context.Context, a *agent, apps []string, err error) error {
	if err == nil || fault.Of(err) != fault.Rejected || len(apps) == 0 {
		return err
	}
	names, asked := appNames(ctx, a)
	if asked != nil {
		return err
	}
	for _, app := range apps {
		if !slices.Contains(names, app) {
			return unknownApp(app, names)
		}
	}
	return err
}

func appNames(ctx context.Context, a reconcile.Asker) ([]string, error) {
	st, err := a.Status(ctx, nil)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(st.Apps))
	for _, app := range st.Apps {
		names = append(names, app.Name)
	}
	return names, nil
}
