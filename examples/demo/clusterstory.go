package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/kubetest"
)

// exampleNamespace is the namespace that examples/repo names.
const exampleNamespace = "webshop"

// apps is the path of what keeps pods running.
const apps = "/apis/apps/v1"

// onCluster is the story on this machine's Kubernetes cluster.
func (s *story) onCluster(ctx context.Context) (plot, error) {
	access, err := kubetest.Open(ctx)
	if err != nil {
		return plot{}, fault.Hint(err, "make cluster starts one")
	}
	s.cluster = &cluster{Access: access, namespace: exampleNamespace + "-" + s.mark}
	version, err := s.cluster.text(ctx, "/version", "gitVersion")
	if err != nil {
		return plot{}, err
	}
	s.scene = s.clusterScene(access.Kubeconfig(), s.cluster.namespace)
	return plot{
		title:    "syncd demo: a Git repository, a Kubernetes cluster (" + version + "), and what happens between them",
		promise:  "All that this makes is in the namespace " + s.cluster.namespace + ", and is removed at the end.",
		images:   s.clusterImages,
		leavings: s.cluster.clear,
		chapters: []chapter{
			{"The first deploy", s.firstApply},
			{"A merged change rolls out", s.mergedRelease},
			{"An image that nobody pushed is found out and rolled back", s.brokenRelease},
			{"Someone changes things by hand", s.changedByHand},
		},
	}, nil
}

// clusterScene gives the namespace and the image names of their own. The apps keep
// theirs: whose they are, their labels say.
func (s *stage) clusterScene(kubeconfig, namespace string) scene {
	return scene{
		apps:  []string{"namespaces", "shop", "api", "cache"},
		paths: strings.NewReplacer(),
		texts: strings.NewReplacer(examplesImage, s.image, exampleNamespace, namespace),
		host:  fmt.Sprintf("host:\n  name: demo\n  vars: {CACHE_REPLICAS: \"2\"}\nkubernetes:\n  kubeconfig: %s\n", kubeconfig),
	}
}

// clusterImages gives the node two releases.
func (s *story) clusterImages(ctx context.Context) error {
	s.later(func(ctx context.Context) error { return s.cluster.Unload(ctx, s.image+":1", s.image+":2") })
	if err := s.cluster.load(ctx, s.root, s.dir, s.image, "1", "2"); err != nil {
		return err
	}
	s.say("Built the example's images %s:1 and :2, and gave them to the node.", s.image)
	return nil
}

func (s *story) firstApply(ctx context.Context) error {
	if err := s.allSynced(ctx); err != nil {
		return err
	}
	if err := s.workloads(ctx); err != nil {
		return err
	}
	path := s.cluster.in("/api/v1", "services/web:http/proxy/")
	s.visited(newVisitor(ctx, s.cluster.URL()+path, s.cluster.Client().Transport, "kubectl", "get", "--raw", path))
	return s.page(ctx, "version 1", "open day and night")
}

func (s *story) mergedRelease(ctx context.Context) error {
	err := s.rollsOut(ctx, "shop", "release-2", "Release 2, and no more night shifts",
		edit{release, `newTag: "1"`, `newTag: "2"`},
		edit{"kubernetes/shop/base/config/shop.conf", "open day and night", "open from 9 to 5"})
	if err != nil {
		return err
	}
	s.say("%s:", s.visitor.report())
	s.say("the migration ran first, and no pod went before a new one was ready.")
	return s.page(ctx, "version 2", "open from 9 to 5")
}

// release is the file whose tag is a release of the shop.
const release = "kubernetes/shop/overlays/prod/kustomization.yaml"

func (s *story) brokenRelease(ctx context.Context) error {
	err := s.goesBack(ctx, "shop", "slim-image", "A slimmer image, built and never pushed",
		edit{"kubernetes/shop/base/web.yaml", s.image + ":1", s.image + "-slim:1"})
	if err != nil {
		return err
	}
	if err := s.askAll(ctx, "shop", "explain", "history"); err != nil {
		return err
	}
	return s.events(ctx)
}

func (s *story) changedByHand(ctx context.Context) error {
	s.visitor.report()
	service := s.cluster.in("/api/v1", "services/web")
	before, err := s.cluster.text(ctx, service, "metadata", "uid")
	if err != nil {
		return err
	}
	err = s.byHand(ctx, "Service/"+s.cluster.namespace+"/web", hand{
		words: []string{"delete", "service", "web"}, method: http.MethodDelete, path: service,
		mended: func(ctx context.Context) (bool, error) {
			now, err := s.cluster.text(ctx, service, "metadata", "uid")
			return now != "" && now != before, err
		},
	})
	if err != nil {
		return err
	}
	web := s.cluster.in(apps, "deployments/web")
	err = s.byHand(ctx, "Deployment/"+s.cluster.namespace+"/web", hand{
		words: []string{"patch", "deployment", "web", "-p", `'{"spec":{"replicas":1}}'`}, method: http.MethodPatch, path: web,
		body: map[string]any{"spec": map[string]any{"replicas": 1}},
		mended: func(ctx context.Context) (bool, error) {
			replicas, err := s.cluster.text(ctx, web, "spec", "replicas")
			return replicas == "3", err
		},
	})
	if err != nil {
		return err
	}
	s.say("%s.", s.visitor.report())
	if err := s.verbs.rolledBack(ctx, "shop", s.good); err != nil {
		return err
	}
	if err := s.workloads(ctx); err != nil {
		return err
	}
	return s.ask(ctx, "status")
}

// hand is something that somebody does beside Git, and how one sees that it was
// undone.
type hand struct {
	words        []string // behind kubectl
	method, path string
	body         any
	mended       func(context.Context) (bool, error)
}

// byHand does something to a slot beside Git, and waits until the agent has told of
// it and repaired it.
func (s *story) byHand(ctx context.Context, slot string, h hand) error {
	_, heard := s.watched.said(0)
	s.command(s.cluster.kubectl(h.words...)...)
	if _, err := s.cluster.Do(ctx, h.method, h.path, h.body); err != nil {
		return err
	}
	began := time.Now()
	err := awaitEvery(ctx, 20*time.Millisecond, slot+" to be repaired", func(ctx context.Context) string {
		switch done, err := h.mended(ctx); {
		case err != nil:
			return err.Error()
		case !done:
			return "it is as it was made by hand"
		}
		return ""
	})
	if err != nil {
		return err
	}
	took := time.Since(began).Round(10 * time.Millisecond)
	err = await(ctx, "the agent to tell of "+slot, func(context.Context) string {
		if lines, _ := s.watched.said(heard); !mentions(lines, slot) {
			return "it did not speak of it"
		}
		return ""
	})
	if err == nil {
		s.did("seen, and as Git wants it again after %s", took)
	}
	return err
}

// workloads shows what runs in the namespace.
func (s *story) workloads(ctx context.Context) error {
	text, err := s.cluster.table(ctx, s.cluster.in(apps, "deployments"), "Name", "Ready", "Up-to-date", "Available", "Images")
	if err != nil {
		return err
	}
	s.command(s.cluster.kubectl("get", "deployments", "-o", "wide")...)
	s.show(text)
	return nil
}

// events shows what the cluster's own users see of all this.
func (s *story) events(ctx context.Context) error {
	const ours = "reportingComponent=syncd.io/syncd,type=Warning"
	text, err := s.cluster.table(ctx, s.cluster.in("/api/v1", "events?fieldSelector="+ours), "Reason", "Object", "Message")
	if err != nil {
		return err
	}
	s.command(s.cluster.kubectl("get", "events", "--field-selector", ours)...)
	s.show(text)
	if !strings.Contains(text, "RolledBack") {
		return fmt.Errorf("no event in %s tells of the way back", s.cluster.namespace)
	}
	return nil
}
