package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

func (s *story) firstDeploy(ctx context.Context) error {
	if err := s.allSynced(ctx); err != nil {
		return err
	}
	if err := s.table(ctx); err != nil {
		return err
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/", s.ports["SHOP_PORT"])
	s.visited(newVisitor(ctx, url, &http.Transport{DisableKeepAlives: true}, "curl", url))
	return s.page(ctx, "version 1", "open day and night")
}

func (s *story) mergedChange(ctx context.Context) error {
	shop := s.app("shop")
	err := s.rollsOut(ctx, shop, "release-2", "Release 2, and no more night shifts",
		edit{shop + "/compose.yaml", s.image + ":1", s.image + ":2"},
		edit{shop + "/config/shop.conf", "open day and night", "open from 9 to 5"})
	if err != nil {
		return err
	}
	s.say("%s:", s.visitor.report())
	s.say("a published port has one holder at a time, so the old web container is stopped first.")
	return s.page(ctx, "version 2", "open from 9 to 5")
}

func (s *story) brokenChange(ctx context.Context) error {
	shop := s.app("shop")
	err := s.goesBack(ctx, shop, "release-3", "Release 3, tested on my machine", edit{shop + "/compose.yaml", s.image + ":2", s.image + ":3"})
	if err != nil {
		return err
	}
	return s.askAll(ctx, shop, "explain", "history")
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
