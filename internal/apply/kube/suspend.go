package kube

import "strings"

// Suspend says how a maker, as makerOf names it, is kept from putting its own back
// after what it made was taken over; empty where it never does by itself.
func (e *Engine) Suspend(maker string) string { return suspend(maker, e.agent) }

func suspend(maker, agent string) string {
	place := func(prefix string) (namespace, name string, ok bool) {
		rest, ok := strings.CutPrefix(maker, prefix)
		if !ok {
			return "", "", false
		}
		if namespace, name, ok = strings.Cut(rest, "/"); !ok {
			return "", rest, true
		}
		return namespace, name, true
	}
	if namespace, name, ok := place("Flux Kustomization "); ok {
		return "flux suspend kustomization " + name + " -n " + namespace
	}
	if namespace, name, ok := place("Flux HelmRelease "); ok {
		return "flux suspend helmrelease " + name + " -n " + namespace
	}
	if name, ok := strings.CutPrefix(maker, "Argo CD application "); ok {
		return "argocd app set " + name + " --sync-policy none"
	}
	if namespace, name, ok := place("Helm release "); ok {
		return "see that nobody runs helm upgrade for " + name + " any more; its record stays (kubectl -n " + namespace +
			" get secret -l owner=helm,name=" + name + "), and helm uninstall would delete what is taken over"
	}
	if app, other, ok := ofAgent(maker); ok && other == agent {
		return "take it out of app " + app + ", which has it in Git, too"
	} else if ok {
		return "syncd release " + app + " on the agent that keeps it"
	}
	return ""
}

// ofAgent reads from the name of a maker which app of which agent that is.
func ofAgent(maker string) (app, agent string, ok bool) {
	app, rest, ok := strings.Cut(strings.TrimPrefix(maker, "app "), " of syncd (agent ")
	return app, strings.TrimSuffix(rest, ")"), ok
}
