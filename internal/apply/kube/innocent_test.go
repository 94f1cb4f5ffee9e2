package kube

import (
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/kubetest"
)

// Without controllers nothing is carried out, and no revision is to blame for that.
func TestAControllerThatIsAwayIsNamedAndBlamesNoRevision(t *testing.T) {
	t.Parallel()
	p := placeOn(t, kubetest.Start(t, kubetest.Options{NoControllers: true}).Access)
	set := p.set(shop)
	for i := range set {
		set[i].Policy.Ready = 3 * time.Second
	}
	out := p.roll(set)
	if len(out.Failures) > 0 || fault.Of(out.Err) != fault.Unreachable || !strings.Contains(out.Err.Error(), "the Deployment controller has not looked at it") {
		t.Errorf("outcome %+v", out)
	}
}

// An account that may apply and not look at pods cannot say that a revision failed.
func TestWhoMayNotLookAtPodsBlamesNoRevision(t *testing.T) {
	p := newPlace(t)
	p.account("deployer", `
- {apiGroups: [""], resources: [configmaps, services], verbs: ["*"]}
- {apiGroups: [apps], resources: [deployments], verbs: ["*"]}`)
	p.owned.As = p.namespace + "/deployer"
	out := p.roll(p.set(shop))
	if len(out.Failures) > 0 || fault.Of(out.Err) != fault.Blocked || !strings.Contains(out.Err.Error(), "pods is forbidden") {
		t.Errorf("outcome %+v", out)
	}
	if hint := fault.Advice(out.Err); !strings.Contains(hint, "grant it") {
		t.Errorf("hint %q", hint)
	}
}
