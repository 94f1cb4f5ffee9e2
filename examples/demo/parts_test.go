package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"syncd.io/syncd/internal/config"
)

func TestStageGivesEverythingItsOwnName(t *testing.T) {
	s := &stage{dir: t.TempDir(), mark: "c0de", image: "syncd-demo-c0de"}
	s.scene = s.engineScene(nil)
	dir := t.TempDir()
	if err := s.fill("../repo", dir); err != nil {
		t.Fatal(err)
	}
	for _, app := range []string{"shop-c0de", "blog-c0de", "ops/metrics-c0de"} {
		text, err := os.ReadFile(filepath.Join(dir, app, "compose.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), examplesImage) || !strings.Contains(string(text), "syncd-demo-c0de:1") {
			t.Errorf("%s does not use the demo's own image:\n%s", app, text)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "shop-c0de", ".syncd.yaml")); err != nil {
		t.Error(err)
	}
}

func TestStageWritesAConfigurationThatSyncdAccepts(t *testing.T) {
	s := &stage{dir: t.TempDir()}
	s.scene = s.engineScene(map[string]int{"SHOP_PORT": 1234})
	path, err := s.configure("/srv/deploy.git")
	if err != nil {
		t.Fatal(err)
	}
	host, err := config.LoadHost(path)
	if err != nil {
		t.Fatal(err)
	}
	if host.Host.Vars["SHOP_PORT"] != "1234" || host.Repo.URL != "file:///srv/deploy.git" || host.Repo.Interval.D() != time.Second {
		t.Errorf("got %+v", host)
	}
}

func TestStageIsClearedBackwardsWhateverFails(t *testing.T) {
	var order []string
	s := &stage{}
	for _, name := range []string{"first", "second", "third"} {
		s.later(func(ctx context.Context) error {
			order = append(order, name)
			return errors.Join(ctx.Err(), map[string]error{"second": errors.New("stuck")}[name])
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.clear(ctx)
	if err == nil || err.Error() != "stuck" || strings.Join(order, " ") != "third second first" {
		t.Errorf("cleared %v with %v", order, err)
	}
}

func TestAwaitSaysWhatItSawLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := await(t.Context(), "spring", func(context.Context) string { return "snow" })
		if err == nil || !strings.Contains(err.Error(), "spring") || !strings.Contains(err.Error(), "snow") {
			t.Errorf("got %v", err)
		}
	})
}

func TestLogLinesAreShortened(t *testing.T) {
	for line, want := range map[string]string{
		"time=2026-01-02T03:04:05Z level=INFO msg=pass app=shop": "msg=pass app=shop",
		"time=2026-01-02T03:04:05Z level=WARN msg=pass":          "level=WARN msg=pass",
		"error: no engine":       "error: no engine",
		strings.Repeat("é", 200): strings.Repeat("é", 160) + "…",
	} {
		if got := short(line); got != want {
			t.Errorf("short(%q) = %q, want %q", line, got, want)
		}
	}
}

func TestVisitorMeasuresTheGap(t *testing.T) {
	v := &visitor{}
	at := func(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)) }
	v.note(at(0), true)
	v.note(at(100), false)
	v.note(at(200), false)
	v.note(at(900), true)
	v.note(at(1000), true)
	if got, want := v.report(), "meanwhile 3 requests were answered and 2 were not; the longest gap was 800ms"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := v.report(), "meanwhile 0 requests were answered and 0 were not"; got != want {
		t.Errorf("after a report: got %q, want %q", got, want)
	}
}

func TestStageGivesAClusterItsOwnNamespaceAndImages(t *testing.T) {
	s := &stage{dir: t.TempDir(), mark: "c0de", image: "syncd-demo-c0de"}
	s.scene = s.clusterScene("/etc/kubeconfig", "webshop-c0de")
	dir := t.TempDir()
	if err := s.fill("../repo", dir); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"kubernetes/namespaces/webshop.yaml":               "name: webshop-c0de",
		"kubernetes/shop/overlays/prod/kustomization.yaml": "namespace: webshop-c0de",
		"kubernetes/shop/base/web.yaml":                    "image: syncd-demo-c0de:1",
		"kubernetes/api/.syncd.yaml":                       "namespace: webshop-c0de",
		"kubernetes/cache/values.yaml":                     "name: syncd-demo-c0de",
		"kubernetes/cache/.syncd.yaml":                     "namespace: webshop-c0de",
		"kubernetes/shop/base/config/shop.conf":            "open day and night",
		"kubernetes/shop/.syncd.yaml":                      "path: overlays/prod",
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q:\n%s", file, want, text)
		}
	}
	path, err := s.configure("/srv/deploy.git")
	if err != nil {
		t.Fatal(err)
	}
	host, err := config.LoadHost(path)
	if err != nil {
		t.Fatal(err)
	}
	if host.Kubernetes == nil || host.Kubernetes.Kubeconfig != "/etc/kubeconfig" {
		t.Errorf("got %+v", host)
	}
}

func TestATableIsLaidOutAsKubectlDoes(t *testing.T) {
	const answer = `{"columnDefinitions": [{"name": "Name"}, {"name": "Age"}, {"name": "Ready"}], "rows": [{"cells": ["web", "3s", "3/3"]}, {"cells": ["worker", "1s", "2/2"]}]}`
	got, err := printed([]byte(answer), []string{"Name", "Ready"})
	if want := "NAME     READY\nweb      3/3\nworker   2/2\n"; err != nil || got != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if _, err := printed([]byte("no table"), nil); err == nil {
		t.Error("something else is taken for a table")
	}
}
