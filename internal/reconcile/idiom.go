package reconcile

import (
	"fmt"
	"strings"

	"syncd.io/syncd/internal/resource"
)

// idiom is how an agent speaks of its target. What a person reads of an engine and
// of a cluster differs here, and nowhere else in this package.
type idiom struct {
	// place is what apps run on.
	place string
	// revive is what an operator types first where the place does not answer.
	revive string
	// meanwhile is why a plan is no longer what it was.
	meanwhile string
	// none and noneHint are said of an app of which nothing waits to be taken over,
	// adopted of what was.
	none, noneHint, adopted string
	// released says what becomes of an app that is handed back.
	released string
	// apart is how two apps that want one thing come to terms.
	apart string
	// noGates is why nothing is known of gates.
	noGates string
	// worse is what a person can do about an instance that turned unhealthy.
	worse func(key resource.Key) string
	// logs is where the output of what runs now is read.
	logs func(key resource.Key) string
	// adoption tells of an adoption that would be made.
	adoption func(touch touches) string
}

// touches counts what an adoption does to the instances of an app: it leaves them
// alone, mends them, makes them anew, or makes what is missing.
type touches struct{ stay, mend, anew, fresh int }

// onCluster tells whether the agent keeps a cluster.
func (a *Agent) onCluster() bool { return a.opts.Host.Kubernetes != nil }

// target is the word of Status and Preview for it.
func (a *Agent) target() string {
	if a.onCluster() {
		return ofCluster().place
	}
	return ""
}

func (a *Agent) idiom() idiom {
	if a.onCluster() {
		return ofCluster()
	}
	return ofEngine()
}

func ofEngine() idiom {
	return idiom{
		place:     "engine",
		revive:    "systemctl status docker",
		meanwhile: "a commit or a container came meanwhile",
		none:      "nothing that runs as project %s waits to be taken over",
		noneHint:  "see: docker ps --filter label=com.docker.compose.project=%s",
		adopted:   "adopted %d containers of %s",
		released:  "nothing is stopped; syncd leaves %s alone from now on, and plain Compose can go on with it",
		apart:     "change it in one of the two, or let hosts.matchLabels put the apps on different hosts",
		noGates:   "this target has no gates",
		worse:     func(resource.Key) string { return "syncd would restart it with health.onUnhealthy: restart" },
		logs:      func(resource.Key) string { return "docker logs" },
		adoption: func(t touches) string {
			return fmt.Sprintf("%d containers stay untouched, %d are mended without a restart, %d would be replaced", t.stay, t.mend, t.anew+t.fresh)
		},
	}
}

func ofCluster() idiom {
	return idiom{
		place:     "cluster",
		revive:    "kubectl cluster-info",
		meanwhile: "a commit or an object came meanwhile",
		none:      "nothing that app %s wants of the cluster waits to be taken over",
		noneHint:  "syncd plan %s says what would be done",
		adopted:   "adopted %d object(s) of %s",
		released:  "nothing is removed; syncd leaves %s alone from now on. Its objects keep syncd's labels, and whoever applies them next can go on with them",
		apart:     "let one of the two have it, or let hosts.matchLabels put the apps on different clusters",
		noGates:   "a cluster has no gates: its Services hand connections over, as pods become ready and go",
		worse:     func(key resource.Key) string { return "look at its log: " + kubectlLogs(key) },
		logs:      kubectlLogs,
		adoption: func(t touches) string {
			return fmt.Sprintf("objects that stay untouched: %d; mended in place: %d; made anew: %d; missing, and made: %d", t.stay, t.mend, t.anew, t.fresh)
		},
	}
}

// kubectlLogs is what shows the output of a workload, or the state of anything
// else.
func kubectlLogs(key resource.Key) string {
	cmd := "kubectl"
	if key.Namespace != "" {
		cmd += " -n " + key.Namespace
	}
	short := map[string]string{"Deployment": "deploy/", "StatefulSet": "sts/", "DaemonSet": "ds/", "ReplicaSet": "rs/", "Job": "job/", "Pod": "pod/"}
	if kind, runs := short[key.Kind]; runs {
		return cmd + " logs " + kind + key.Name
	}
	return cmd + " describe " + strings.ToLower(key.Kind) + "/" + key.Name
}
