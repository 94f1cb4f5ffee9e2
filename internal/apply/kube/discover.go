package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// offered is one kind as an API server tells of it.
type offered struct {
	gvk        schema.GroupVersionKind
	name       string // in paths
	namespaced bool
	verbs      []string
}

// offer is all that an API server tells of. Down are the groups that it could not
// tell of, because who serves them is away.
type offer struct {
	kinds []offered
	down  map[schema.GroupVersion]bool
}

// aggregated asks for all groups in one answer, which every server since 1.26 gives;
// an older one answers with names of groups.
const (
	aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
		"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
	isAggregated = "as=APIGroupDiscoveryList"
)

// discover asks an API server what it serves. Errors: those of the API server.
func discover(ctx context.Context, client rest.Interface) (offer, error) {
	out := offer{down: map[schema.GroupVersion]bool{}}
	for _, path := range []string{"/api", "/apis"} {
		err := out.ask(ctx, client, path)
		if path == "/api" && (apierrors.IsNotFound(err) || apierrors.IsForbidden(err)) { // of an aggregated server that stands alone
			continue
		}
		if err != nil {
			return offer{}, err
		}
	}
	return out, nil
}

// ask takes in what is served below a path.
func (o *offer) ask(ctx context.Context, client rest.Interface, path string) error {
	var as string
	raw, err := client.Get().AbsPath(path).SetHeader("Accept", aggregated).Do(ctx).ContentType(&as).Raw()
	if err != nil {
		return err
	}
	if strings.Contains(as, isAggregated) {
		return o.takeAll(raw)
	}
	versions, err := versionsIn(raw)
	if err != nil {
		return err
	}
	for _, version := range versions {
		if err := o.askOne(ctx, client, path, version); err != nil {
			return err
		}
	}
	return nil
}

// takeAll reads an answer that tells of all groups.
func (o *offer) takeAll(raw []byte) error {
	var list struct {
		Items []struct {
			Metadata metav1.ObjectMeta
			Versions []struct {
				Version, Freshness string
				Resources          []struct {
					Resource, Scope string
					ResponseKind    struct{ Kind string }
					Verbs           []string
				}
			}
		}
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("read what it serves: %w", err)
	}
	for _, group := range list.Items {
		for _, v := range group.Versions {
			at := schema.GroupVersion{Group: group.Metadata.Name, Version: v.Version}
			if v.Freshness == "Stale" {
				o.down[at] = true
				continue
			}
			for _, r := range v.Resources {
				o.kinds = append(o.kinds, offered{gvk: at.WithKind(r.ResponseKind.Kind), name: r.Resource, namespaced: r.Scope == "Namespaced", verbs: r.Verbs})
			}
		}
	}
	return nil
}

// versionsIn reads an answer that names groups, or the versions of the one that has
// no name.
func versionsIn(raw []byte) ([]string, error) {
	var names struct {
		Versions []string
		Groups   []metav1.APIGroup
	}
	if err := json.Unmarshal(raw, &names); err != nil {
		return nil, fmt.Errorf("read what it serves: %w", err)
	}
	for _, group := range names.Groups {
		for _, v := range group.Versions {
			names.Versions = append(names.Versions, v.GroupVersion)
		}
	}
	return names.Versions, nil
}

// askOne takes in one version of one group. One that nobody answers for is down.
func (o *offer) askOne(ctx context.Context, client rest.Interface, path, version string) error {
	at, err := schema.ParseGroupVersion(version)
	if err != nil {
		return nil //nolint:nilerr // nothing can be asked for by such a name
	}
	raw, err := client.Get().AbsPath(path, version).Do(ctx).Raw()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var list metav1.APIResourceList
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		o.down[at] = true
		return nil //nolint:nilerr // the others are there
	}
	for _, r := range list.APIResources {
		o.kinds = append(o.kinds, offered{gvk: at.WithKind(r.Kind), name: r.Name, namespaced: r.Namespaced, verbs: r.Verbs})
	}
	return nil
}
