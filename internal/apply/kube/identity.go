package kube

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"syncd.io/syncd/internal/fault"
)

// identity is in whose name the cluster is asked, with its clients.
type identity struct {
	name     string
	dynamic  dynamic.Interface
	metadata metadata.Interface
	// core asks for what is no object: logs, versions, what is served.
	core rest.Interface
}

// as returns the clients of a ServiceAccount (NAMESPACE/NAME); of the agent itself
// where account is empty.
func (e *Engine) as(account string) (*identity, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if id := e.identities[account]; id != nil {
		return id, nil
	}
	cfg, err := impersonated(e.base, account)
	if err != nil {
		return nil, err
	}
	id, err := newIdentity(account, cfg)
	if err != nil {
		return nil, fault.As(fault.Rejected, fmt.Errorf("make the clients for the cluster: %w", err))
	}
	e.identities[account] = id
	return id, nil
}

// impersonated is cfg in the name of a ServiceAccount. The API server knows its
// groups by itself, so that the agent needs no right to name any.
func impersonated(cfg *rest.Config, account string) (*rest.Config, error) {
	if account == "" {
		return cfg, nil
	}
	namespace, name, ok := strings.Cut(account, "/")
	if !ok {
		return nil, fault.As(fault.Rejected, fmt.Errorf("kubernetes.serviceAccount %q: want NAMESPACE/NAME", account))
	}
	out := rest.CopyConfig(cfg)
	out.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + namespace + ":" + name,
	}
	return out, nil
}

func newIdentity(name string, cfg *rest.Config) (*identity, error) {
	client, err := rest.HTTPClientFor(cfg)
	if err != nil {
		return nil, err
	}
	id := &identity{name: name}
	if id.dynamic, err = dynamic.NewForConfigAndClient(cfg, client); err != nil {
		return nil, err
	}
	if id.metadata, err = metadata.NewForConfigAndClient(metadata.ConfigFor(cfg), client); err != nil {
		return nil, err
	}
	core, err := newTyped(cfg, client, corev1.SchemeGroupVersion)
	id.core = core
	return id, err
}
