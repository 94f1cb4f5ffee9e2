// Package health says how one Kubernetes object feels: a pure function of the
// object, of the pods that it runs and of what time it is for the cluster. It
// has no client and no clock of its own.
//
// kstatus is the basis. Where it says too much (a running Job is not done, a
// failed Pod is not well) or too little (why a rollout does not get on) the
// rules of this package stand before it.
package health

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/apply/kube/health/expr"
	"syncd.io/syncd/internal/resource"
)

// What gave a verdict, in Health.Check. An object that nothing probes has
// apply.CheckRunning instead: it is watched for a moment before it counts.
const (
	// CheckPods is a pod's own reason.
	CheckPods = "pods"
	// CheckStatus is the object's status as its controller wrote it.
	CheckStatus = "status"
	// CheckExit is how the pods of a job ended.
	CheckExit = "exit"
	// CheckExpression is the object's own check (resource.Check).
	CheckExpression = "check"
)

const (
	// SchedulingGrace is how long all new pods may find no node before that is a
	// failure: a node may be on its way.
	SchedulingGrace = 30 * time.Second
	// ConfigGrace is how long a pod may miss a ConfigMap, a Secret or a key of
	// one, or its controller be refused new pods, before that is a failure: what
	// makes the Secret may be an object of the same app.
	ConfigGrace = 10 * time.Second
	// RegistryGrace is how long a pod may wait for a registry that does not answer
	// before that is a failure. An image that a registry does not have is one at
	// once.
	RegistryGrace = 15 * time.Second
	// CrashRestarts is how many restarts make a crash loop, where the reason is
	// not one that lasts: what it needs may still be coming up.
	CrashRestarts = 2
)

// longestReason is how many bytes of a reason are kept.
const longestReason = 400

// Of says how object feels. parts are the live objects that Parts asked for, of
// at least object's age; their order does not matter, and more than those do no
// harm. check is the object's own, nil for none. now is the cluster's time (such
// as the Date of an answer of its API server); only the graces above use it, and
// none of them has passed at the zero time.
//
// Started is true once its controller has taken this generation up; not once pods
// run, for what they wait for may be an object of a later tier. For a job, Well
// means that it completed. Restarts are those of the newest revision's pods, 0
// for a job, whose own policy counts them.
//
// What was before the object's last put (by its managedFields) condemns nothing: a
// deadline that was missed, a crash, the beginning of a grace.
//
// The reason is one line. It may quote what the cluster says of the object: who
// knows secret values has to mask them.
func Of(object *unstructured.Unstructured, parts []unstructured.Unstructured, check *resource.Check, now time.Time) resource.Health {
	if object == nil || len(object.Object) == 0 {
		return resource.Health{State: resource.Absent, Reason: "is not there"}
	}
	h := look(object, parts, now).health()
	if check != nil && h.Started && h.State != resource.Failed {
		h = checked(h, *check, object)
	}
	h.Reason = resource.Harmless(h.Reason, longestReason)
	return h
}

// checked lets the object's own check decide about one that has not failed.
func checked(h resource.Health, check resource.Check, object *unstructured.Unstructured) resource.Health {
	program, err := expr.Compile(check)
	if err != nil {
		return failed(h, CheckExpression, err.Error())
	}
	verdict := program.Judge(object.Object)
	if verdict.State == "" {
		return h
	}
	h.State, h.Reason, h.Check = verdict.State, verdict.Reason, CheckExpression
	return h
}

func well(h resource.Health, check, reason string) resource.Health {
	h.State, h.Check, h.Reason = resource.Well, check, reason
	return h
}

func progressing(h resource.Health, check, reason string) resource.Health {
	h.State, h.Check, h.Reason = resource.Progressing, check, reason
	return h
}

func failed(h resource.Health, check, reason string) resource.Health {
	h.State, h.Check, h.Reason = resource.Failed, check, reason
	return h
}
