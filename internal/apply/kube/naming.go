package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

// naming tells which ReplicaSet a Deployment's controller fills, without a request.
//
// The rule: the controller names it in its condition Progressing, and writes that only
// if the Deployment is as the controller has read it. What it says after our put, and
// did not say at it, is about what we have put. It may say nothing new: where it goes
// back to a ReplicaSet that was there before, the condition stays for a while. A
// template that was named once has that name from then on.
type naming struct {
	// version and generation are those of our last put, at is when that was; empty
	// where this process has made none.
	version    string
	generation int64
	at         time.Time
	// said is what the controller had said by then.
	said string
	// sets are the present template's and the one's before it, newest last.
	sets []setName
}

// setName is the name of the ReplicaSet of a template.
type setName struct{ template, name string }

// namedWithin is how long a controller may take to name what it fills before who wants to
// know it asks.
const namedWithin = 2 * time.Second

// put is what is known once an object was put; nil for what is no Deployment.
func (n *naming) put(live *unstructured.Unstructured) *naming {
	if !health.Replaces(live) {
		return nil
	}
	out := &naming{version: live.GetResourceVersion(), generation: live.GetGeneration(), at: time.Now(), said: health.Progress(live)}
	if n != nil {
		out.sets = n.sets
	}
	return out
}

// with is what is known once a template's ReplicaSet has a name.
func (n *naming) with(set setName) *naming {
	var out naming
	if n != nil {
		out = *n
	}
	if set.name == "" || slices.Contains(out.sets, set) {
		return n
	}
	const kept = 2
	out.sets = append(slices.DeleteFunc(slices.Clone(out.sets), func(s setName) bool { return s.template == set.template }), set)
	out.sets = out.sets[max(0, len(out.sets)-kept):]
	return &out
}

// nameOf is the name of the ReplicaSet that an object's controller fills; empty where
// it cannot be told. The controller has taken the object up.
func (n *naming) nameOf(object *unstructured.Unstructured, template string) string {
	if object.GetGeneration() == 1 || n.isNews(object) { // of the only template ever, or of ours
		if name := health.Fills(object); name != "" {
			return name
		}
	}
	if n == nil {
		return ""
	}
	for _, s := range n.sets {
		if s.template == template {
			return s.name
		}
	}
	return ""
}

// isNews tells whether what an object's controller says came after our put, which is
// the last change of it.
func (n *naming) isNews(object *unstructured.Unstructured) bool {
	if n == nil || n.version == "" || n.generation != object.GetGeneration() || health.Progress(object) == n.said {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(object.GetResourceVersion(), n.version)
	return err == nil && order > 0
}

// soon tells whether the controller is to say it in a moment.
func (n *naming) soon(object *unstructured.Unstructured, within time.Duration) bool {
	return n != nil && n.version != "" && n.generation == object.GetGeneration() && n.lately(within)
}

// lately tells whether our put was just now.
func (n *naming) lately(within time.Duration) bool {
	return n != nil && time.Since(n.at) < within
}

// templateOf identifies a workload's template.
func templateOf(object *unstructured.Unstructured) string {
	tree, _, _ := unstructured.NestedFieldNoCopy(object.Object, "spec", "template")
	raw, err := resource.Canonical(tree)
	if err != nil { // what came as JSON can be written as such
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:12])
}
