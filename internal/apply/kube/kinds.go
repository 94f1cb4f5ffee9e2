package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nearest"
	"syncd.io/syncd/internal/resource"
)

// kind is one kind that the API server serves, in one version.
type kind struct {
	gvk        schema.GroupVersionKind
	gvr        schema.GroupVersionResource
	namespaced bool
	version    string // of the group, as a manifest says it
	// quiet tells that its objects have no health of their own.
	quiet bool
}

// newKind is a kind that is served.
func newKind(gvk schema.GroupVersionKind, name string, namespaced bool) kind {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	return kind{gvk: gvk, version: gvk.GroupVersion().String(), gvr: gvk.GroupVersion().WithResource(name), namespaced: namespaced, quiet: health.Settled(u, nil)}
}

// slot is the place of an object of this kind.
func (k kind) slot(namespace, name string) resource.Key {
	return resource.Key{Kind: resource.KindOf(k.gvk.Group, k.gvk.Kind), Namespace: namespace, Name: name}
}

// errNoKind tells that the API server serves no such kind.
var errNoKind = errors.New("the cluster knows no such kind")

// refreshPause is how long a kind that is not served is not asked for anew: a CRD's
// own wait asks more often.
const refreshPause = 500 * time.Millisecond

// kinds is what the API server serves, as it was last asked.
type kinds struct {
	client rest.Interface
	once   *once

	mu    sync.Mutex // guards what follows
	asked time.Time
	all   map[schema.GroupVersionKind]kind
	// down are the versions of groups that the API server could not tell of.
	down map[schema.GroupVersion]bool
	// turn counts how often what was asked for has become stale.
	turn int
}

func newKinds(client rest.Interface, once *once) *kinds { return &kinds{client: client, once: once} }

// find returns a kind, and asks the API server again where it is not known yet.
// Errors: errNoKind, Rejected; Unreachable where it cannot be told now.
func (k *kinds) find(ctx context.Context, gvk schema.GroupVersionKind) (kind, error) {
	if found, ok := k.known(gvk); ok {
		return found, nil
	}
	if err := k.refresh(ctx); err != nil {
		return kind{}, err
	}
	if found, ok := k.known(gvk); ok {
		return found, nil
	}
	if k.isDown(gvk.GroupVersion()) {
		return kind{}, untold(gvk)
	}
	return kind{}, fault.Hint(fault.As(fault.Rejected, fmt.Errorf("%s %s: %w", gvk.GroupVersion(), gvk.Kind, errNoKind)), k.advise(gvk))
}

// served returns a kind as find does, in another version where the one that an object
// was applied in is served no more. That none is there is told only where all versions
// of its group could be asked for.
func (k *kinds) served(ctx context.Context, gvk schema.GroupVersionKind) (kind, error) {
	found, err := k.find(ctx, gvk)
	if !errors.Is(err, errNoKind) {
		return found, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for other, found := range k.all {
		if other.GroupKind() == gvk.GroupKind() {
			return found, nil
		}
	}
	for at := range k.down {
		if at.Group == gvk.Group {
			return kind{}, untold(gvk)
		}
	}
	return kind{}, err
}

// untold is the error for a kind of a group that nobody answers for now: it may well be
// served.
func untold(gvk schema.GroupVersionKind) error {
	err := fmt.Errorf("%s %s: the cluster cannot tell now whether it knows that kind", gvk.GroupVersion(), gvk.Kind)
	return fault.Hint(fault.As(fault.Unreachable, err), "what serves its group does not answer: kubectl get apiservices tells why")
}

func (k *kinds) isDown(at schema.GroupVersion) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.down[at]
}

func (k *kinds) known(gvk schema.GroupVersionKind) (kind, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, ok := k.all[gvk]
	return found, ok
}

// count is how many kinds are known.
func (k *kinds) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.all)
}

// stale lets the next unknown kind be asked for at once.
func (k *kinds) stale() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = time.Time{}
	k.turn++
}

// refresh asks the API server what it serves, unless that was just done.
func (k *kinds) refresh(ctx context.Context) error {
	for range 2 { // what somebody has asked for earlier may have become stale meanwhile
		if k.recent() {
			return nil
		}
		if err := k.once.ask(ctx, "kinds", k.learn); err != nil {
			return err
		}
	}
	return nil
}

// recent tells whether the API server was asked just now.
func (k *kinds) recent() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return time.Since(k.asked) < refreshPause
}

// learn asks what is served. An aggregated API that is down takes nothing away from
// the others.
func (k *kinds) learn(ctx context.Context) error {
	if k.recent() {
		return nil
	}
	k.mu.Lock()
	turn := k.turn
	k.mu.Unlock()
	offer, err := discover(ctx, k.client)
	if ctx.Err() != nil {
		return classified(context.Cause(ctx), "ask the cluster for its kinds")
	}
	if err != nil {
		return classified(err, "ask the cluster for its kinds")
	}
	all := offer.usable()
	k.mu.Lock()
	defer k.mu.Unlock()
	for gvk, kept := range k.all { // what an aggregated API that is down served before
		if offer.down[gvk.GroupVersion()] {
			all[gvk] = kept
		}
	}
	k.down = offer.down
	if k.all = all; turn == k.turn {
		k.asked = time.Now()
	}
	return nil
}

// usable are the kinds that objects can be applied of.
func (o offer) usable() map[schema.GroupVersionKind]kind {
	all := map[schema.GroupVersionKind]kind{}
	for _, k := range o.kinds {
		if !strings.Contains(k.name, "/") && slices.Contains(k.verbs, "patch") {
			all[k.gvk] = newKind(k.gvk, k.name, k.namespaced)
		}
	}
	return all
}

// advise names the versions that the kind is served in, or the nearest kind.
func (k *kinds) advise(gvk schema.GroupVersionKind) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var versions, names []string
	for other := range maps.Keys(k.all) {
		if other.Kind == gvk.Kind {
			versions = append(versions, other.GroupVersion().String())
		}
		names = append(names, other.Kind)
	}
	slices.Sort(versions)
	slices.Sort(names)
	if len(versions) > 0 {
		return "the cluster serves " + gvk.Kind + " in " + strings.Join(slices.Compact(versions), ", ")
	}
	if near := nearest.Word(gvk.Kind, slices.Compact(names)); near != "" {
		return "did you mean " + near + "?"
	}
	return "install its CustomResourceDefinition first, or put it into the same app"
}
