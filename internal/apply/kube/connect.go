package kube

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"syncd.io/syncd/internal/fault"
)

// Where a pod finds its own account.
const (
	podToken     = "/var/run/secrets/kubernetes.io/serviceaccount/token"
	podNamespace = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// InPod tells whether this process runs in a pod that may speak to its cluster.
func InPod() bool {
	_, err := os.Stat(podToken)
	return err == nil && os.Getenv("KUBERNETES_SERVICE_HOST") != ""
}

// PodNamespace is that of the pod that this process runs in; empty elsewhere.
func PodNamespace() string {
	if !InPod() {
		return ""
	}
	name, err := os.ReadFile(podNamespace)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(name))
}

// Config finds out which cluster is meant, and as whom it is spoken to: the file
// kubeconfig, or where none is named the account of the pod that this process
// runs in, else what kubectl goes by (KUBECONFIG, ~/.kube/config); in such a file
// the context named, else its current one. It asks nobody. Errors: Blocked for a
// file that cannot be read or that says nothing useful.
func Config(kubeconfig, context, version string) (*rest.Config, error) {
	cfg, err := config(kubeconfig, context)
	if err != nil {
		return nil, err
	}
	cfg.QPS = -1 // the API server's own priority and fairness is what limits
	cfg.UserAgent = "syncd/" + version
	return cfg, nil
}

func config(kubeconfig, context string) (*rest.Config, error) {
	if kubeconfig == "" && context == "" && InPod() {
		cfg, err := rest.InClusterConfig()
		if err != nil {
			return nil, unusable(fmt.Errorf("use the pod's own account: %w", err), "the pod needs automountServiceAccountToken, or name a file: kubernetes.kubeconfig")
		}
		return cfg, nil
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	where := whereOf(rules)
	file, err := rules.Load()
	if err != nil {
		return nil, unread(where, err)
	}
	if err := choose(file, context, where); err != nil {
		return nil, err
	}
	cfg, err := clientcmd.NewNonInteractiveClientConfig(*file, context, &clientcmd.ConfigOverrides{}, rules).ClientConfig()
	if err != nil {
		return nil, unusable(fmt.Errorf("use kubeconfig %s: %s", where, oneLine(err)), "kubectl --kubeconfig "+where+" cluster-info shows whether it works at all")
	}
	return cfg, nil
}

// whereOf names the files that are read.
func whereOf(rules *clientcmd.ClientConfigLoadingRules) string {
	if rules.ExplicitPath != "" {
		return rules.ExplicitPath
	}
	return strings.Join(rules.Precedence, string(os.PathListSeparator))
}

// choose refuses a file that names no cluster, or not the context that is meant.
func choose(file *api.Config, context, where string) error {
	known := slices.Sorted(maps.Keys(file.Contexts))
	switch {
	case len(known) == 0 && len(file.Clusters) == 0:
		return unusable(fmt.Errorf("no cluster is named: %s says of none", where), "name a file that does: kubernetes.kubeconfig in syncd.yaml, or KUBECONFIG")
	case context == "" && file.CurrentContext == "":
		return unusable(fmt.Errorf("kubeconfig %s has no current context", where), "choose one with kubernetes.context: "+strings.Join(known, ", "))
	case context == "":
		context = file.CurrentContext
	}
	chosen := file.Contexts[context]
	switch {
	case chosen == nil:
		return unusable(fmt.Errorf("kubeconfig %s has no context %q", where, context), "it has: "+strings.Join(known, ", "))
	case file.Clusters[chosen.Cluster] == nil:
		return unusable(fmt.Errorf("kubeconfig %s: context %q names the cluster %q, which is not there", where, context, chosen.Cluster), "mend the file, or choose another context with kubernetes.context")
	}
	return nil
}

// unread says why a file could not be read.
func unread(where string, err error) error {
	var trouble *fs.PathError
	if errors.As(err, &trouble) {
		where = trouble.Path
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return unusable(fmt.Errorf("kubeconfig %s does not exist", where), "write kubernetes.kubeconfig as it is on this machine, or leave it out to go by KUBECONFIG and ~/.kube/config")
	case errors.Is(err, fs.ErrPermission):
		return unusable(fmt.Errorf("kubeconfig %s may not be read by this user", where), "chown it to the user that syncd runs as; it need not be readable to others")
	default:
		return unusable(fmt.Errorf("read kubeconfig %s: %s", where, oneLine(err)), "mend the file, or make it anew")
	}
}

// unusable is an error that a person has to mend on this side.
func unusable(err error, hint string) error { return fault.Hint(fault.As(fault.Blocked, err), hint) }

// oneLine is an error's text in one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
