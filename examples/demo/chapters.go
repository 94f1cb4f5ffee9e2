package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

func (s *story) firstDeploy(ctx context.Context) error {
	for _, app := range s.apps() {
		if err := s.verbs.synced(ctx, app, s.good); err != nil {
			return err
		}
		s.did("%s is Synced and Healthy at %.10s", app, s.good)
	}
	if err := s.table(ctx); err != nil {
		return err
	}
	s.visitor = newVisitor(ctx, fmt.Sprintf("http://127.0.0.1:%d/", s.ports["SHOP_PORT"]))
	s.later(func(context.Context) error { s.visitor.leave(); return nil })
	return s.page(ctx, "version 1", "open day and night")
}

func (s *story) mergedChange(ctx context.Context) error {
	commit, err := s.release(ctx, 2, "Release 2, and no more night shifts", func() error {
		return s.repo.replace(s.app("shop")+"/config/shop.conf", "open day and night", "open from 9 to 5")
	})
	if err != nil {
		return err
	}
	merged := time.Now()
	if err := s.verbs.synced(ctx, s.app("shop"), commit); err != nil {
		return err
	}
	s.good = commit
	s.did("Synced and Healthy at %.10s, %s after the merge", commit, time.Since(merged).Round(100*time.Millisecond))
	s.say("%s:", s.visitor.report())
	s.say("a published port has one holder at a time, so the old web container is stopped first.")
	return s.page(ctx, "version 2", "open from 9 to 5")
}

func (s *story) brokenChange(ctx context.Context) error {
	if _, err := s.release(ctx, 3, "Release 3, tested on my machine", nil); err != nil {
		return err
	}
	merged := time.Now()
	if err := s.verbs.rolledBack(ctx, s.app("shop"), s.good); err != nil {
		return err
	}
	s.did("rolled back to %.10s, %s after the merge", s.good, time.Since(merged).Round(100*time.Millisecond))
	s.say("%s.", s.visitor.report())
	if err := s.page(ctx, "version 2", "open from 9 to 5"); err != nil {
		return err
	}
	for _, verb := range []string{"explain", "history"} {
		if err := s.ask(ctx, verb, s.app("shop")); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) removedByHand(ctx context.Context) error {
	shop := s.app("shop")
	before, err := container(ctx, shop, "worker", "2")
	if err != nil {
		return err
	}
	if before == "" {
		return fmt.Errorf("%s has no second worker to remove", shop)
	}
	_, heard := s.watched.said(0)
	s.command("docker", "rm", "-f", shop+"-worker-2")
	if _, err := docker(ctx, "rm", "-f", before); err != nil {
		return err
	}
	removed := time.Now()
	if err := s.drift(ctx, shop, before, heard); err != nil {
		return err
	}
	s.did("reported, and there again after %s, although release 3 is still held off", time.Since(removed).Round(100*time.Millisecond))
	if err := s.verbs.rolledBack(ctx, shop, s.good); err != nil {
		return err
	}
	if err := s.table(ctx); err != nil {
		return err
	}
	return s.page(ctx, "version 2")
}

// drift waits until the agent has told of the missing container, and another one
// stands in its place.
func (s *story) drift(ctx context.Context, shop, before string, heard int) error {
	return await(ctx, "the drift to be reported and repaired", func(ctx context.Context) string {
		now, err := container(ctx, shop, "worker", "2")
		lines, _ := s.watched.said(heard)
		switch {
		case err != nil:
			return err.Error()
		case now == "" || now == before:
			return "the second worker does not run"
		case !mentions(lines, "container/worker/2"):
			return "the agent did not speak of it"
		}
		return ""
	})
}

// release merges the change of the shop's tag, and what else belongs to it.
func (s *story) release(ctx context.Context, version int, subject string, more func() error) (string, error) {
	s.visitor.report()
	before, after := fmt.Sprintf("%s:%d", s.image, version-1), fmt.Sprintf("%s:%d", s.image, version)
	commit, err := s.repo.merge(ctx, fmt.Sprintf("release-%d", version), subject, func() error {
		if err := s.repo.replace(s.app("shop")+"/compose.yaml", before, after); err != nil || more == nil {
			return err
		}
		return more()
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
	s.command("curl", s.visitor.url)
	s.show(text)
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			return fmt.Errorf("%s does not say %q", s.visitor.url, want)
		}
	}
	return nil
}

// table shows the shop's containers.
func (s *story) table(ctx context.Context) error {
	text, err := containers(ctx, s.app("shop"))
	if err != nil {
		return err
	}
	s.command("docker", "ps", "-a")
	s.show(text)
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
