package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The steps that all stories are made of. Each of them tells what it does, and
// fails where that is not what was to happen.

// allSynced waits until all apps run the commit that is good.
func (s *story) allSynced(ctx context.Context) error {
	for _, app := range s.apps {
		if err := s.verbs.synced(ctx, app, s.good); err != nil {
			return err
		}
		s.did("%s is Synced and Healthy at %.10s", app, s.good)
	}
	return nil
}

// visited lets somebody look at the shop for as long as the story lasts.
func (s *story) visited(v *visitor) {
	s.visitor = v
	s.later(func(context.Context) error { v.leave(); return nil })
}

// rollsOut merges a change that becomes the good one.
func (s *story) rollsOut(ctx context.Context, app, branch, subject string, edits ...edit) error {
	commit, err := s.merge(ctx, branch, subject, edits)
	if err != nil {
		return err
	}
	merged := time.Now()
	if err := s.verbs.synced(ctx, app, commit); err != nil {
		return err
	}
	s.good = commit
	s.did("Synced and Healthy at %.10s, %s after the merge", commit, tenths(merged))
	return nil
}

// goesBack merges a change that fails, after which the page is as it was.
func (s *story) goesBack(ctx context.Context, app, branch, subject string, edits ...edit) error {
	if _, err := s.merge(ctx, branch, subject, edits); err != nil {
		return err
	}
	merged := time.Now()
	if err := s.verbs.rolledBack(ctx, app, s.good); err != nil {
		return err
	}
	s.did("rolled back to %.10s, %s after the merge", s.good, tenths(merged))
	s.say("%s.", s.visitor.report())
	return s.page(ctx, "version 2", "open from 9 to 5")
}

// edit is a change of one place in one file of the repository.
type edit struct{ file, before, after string }

// merge has a change merged, and shows it.
func (s *story) merge(ctx context.Context, branch, subject string, edits []edit) (string, error) {
	s.visitor.report()
	commit, err := s.repo.merge(ctx, branch, subject, func() error {
		for _, e := range edits {
			if err := s.repo.replace(e.file, e.before, e.after); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	change, err := s.repo.git(ctx, "diff", "--stat", "HEAD^", "HEAD")
	if err != nil {
		return "", err
	}
	s.say("Ada merges %.10s: %s", commit, subject)
	s.show(change)
	return commit, nil
}

// page asks the shop and holds its answer against what it must say.
func (s *story) page(ctx context.Context, wanted ...string) error {
	text, err := s.visitor.page(ctx)
	if err != nil {
		return err
	}
	s.command(s.visitor.words...)
	s.show(text)
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			return fmt.Errorf("%s does not say %q", s.visitor.url, want)
		}
	}
	return nil
}

// ask shows a verb and its answer.
func (s *story) ask(ctx context.Context, words ...string) error {
	text, err := s.verbs.ask(ctx, words...)
	if err != nil {
		return err
	}
	s.command(append([]string{"syncd"}, words...)...)
	s.show(text)
	return nil
}

// askAll asks several verbs about one app.
func (s *story) askAll(ctx context.Context, app string, verbs ...string) error {
	for _, verb := range verbs {
		if err := s.ask(ctx, verb, app); err != nil {
			return err
		}
	}
	return nil
}

// tenths is the time since then, as people say it.
func tenths(then time.Time) time.Duration { return time.Since(then).Round(100 * time.Millisecond) }
