package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// options are the demo's flags.
type options struct {
	syncd      string // the agent's program
	root       string // the project's directory
	kubernetes bool   // the story on a cluster, instead of an engine
}

// plot is what differs between the stories.
type plot struct {
	title, promise string
	images         func(context.Context) error
	leavings       func(context.Context) error // removes what the agent has made
	chapters       []chapter
}

type chapter struct {
	title string
	play  func(context.Context) error
}

// story is the demo while it is told.
type story struct {
	*stage
	*terminal
	options
	repo    repository
	verbs   verbs
	watched *agent
	visitor *visitor
	ports   map[string]int // on an engine: variable -> port
	cluster *cluster       // on a cluster
	good    string         // the commit that runs
}

// run tells the story from beginning to end and puts everything away. The error
// is that of the step that failed, joined with what could not be put away; both
// were told.
func run(ctx context.Context, o options, t *terminal) error {
	began := time.Now()
	place, err := newStage()
	if err != nil {
		t.failed(err)
		return err
	}
	s := &story{stage: place, terminal: t, options: o}
	err = s.tell(ctx)
	t.line("", "")
	switch {
	case ctx.Err() != nil:
		t.say("interrupted; putting everything away")
	case err != nil:
		t.failed(err)
		t.say("putting everything away")
	default:
		t.did("the story took %s; putting everything away", time.Since(began).Round(time.Second))
	}
	left := s.clear(ctx)
	if left != nil {
		t.failed(fmt.Errorf("not everything could be put away: %w", left))
	}
	return errors.Join(err, left)
}

func (o *options) absolute() error {
	for _, path := range []*string{&o.syncd, &o.root} {
		abs, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("find %s: %w", *path, err)
		}
		*path = abs
	}
	if _, err := os.Stat(o.syncd); err != nil {
		return fmt.Errorf("find the agent's program: %w (make build makes it)", err)
	}
	return nil
}

func (s *story) tell(ctx context.Context) error {
	if err := s.absolute(); err != nil {
		return err
	}
	set := s.onEngine
	if s.kubernetes {
		set = s.onCluster
	}
	plot, err := set(ctx)
	if err != nil {
		return err
	}
	s.line(bold, plot.title)
	s.say("%s", plot.promise)
	if err := s.prepare(ctx, plot); err != nil {
		return err
	}
	alive, err := s.start(ctx, plot)
	if err != nil {
		return err
	}
	for i, c := range plot.chapters {
		s.chapter(i+1, c.title)
		if err := c.play(alive); err != nil {
			return fmt.Errorf("%s: %w", strings.ToLower(c.title), err)
		}
	}
	return nil
}

// prepare builds the example's images and the repository.
func (s *story) prepare(ctx context.Context, p plot) error {
	if err := p.images(ctx); err != nil {
		return err
	}
	repo, err := newRepository(ctx, s.dir, func(clone string) error {
		return s.fill(filepath.Join(s.root, "examples/repo"), clone)
	})
	if err != nil {
		return err
	}
	s.repo = repo
	s.say("Made a Git repository of examples/repo.")
	s.good, err = repo.head(ctx)
	return err
}

// start sets the agent on the repository. The returned context ends with it.
func (s *story) start(ctx context.Context, p plot) (context.Context, error) {
	config, err := s.configure(s.repo.bare)
	if err != nil {
		return ctx, err
	}
	s.verbs = verbs{syncd: s.syncd, config: config}
	s.later(p.leavings)
	s.command("syncd", "run", "--config", "syncd.yaml")
	alive, a, err := startAgent(ctx, s.syncd, config, s.agent)
	if err != nil {
		return ctx, err
	}
	s.watched = a
	s.later(func(context.Context) error { return a.stop() })
	return alive, nil
}
