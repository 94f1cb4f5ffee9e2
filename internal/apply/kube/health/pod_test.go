package health_test

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

// The early, named verdicts: what real pods said, and what is said of them.
func TestVerdictsOfRealPods(t *testing.T) {
	for name, want := range map[string]struct {
		state  resource.State
		reason string
	}{
		"deployment-image-pull":           {resource.Failed, "pod pull-6dffdd497c-5ljpd: container app: image registry.example/shop/web:9 cannot be pulled: registry.example/shop/web:9: not found"},
		"deployment-registry-down":        {resource.Failed, `pod pull-6dffdd497c-5ljpd: container app: image registry.example/shop/web:9 cannot be pulled: failed to do request: Head "https://registry.example/v2/shop/web/manifests/9": dial tcp 192.0.2.1:443: connect: connection refused`},
		"deployment-first-pull":           {resource.Progressing, `updated: 1/2; pod pull-6dffdd497c-5ljpd: container app: image registry.example/shop/web:9 cannot be pulled: failed to do request: Head "https://registry.example/v2/shop/web/manifests/9": dial tcp 192.0.2.1:443: connect: connection refused`},
		"deployment-never-pulled":         {resource.Failed, "pod never-79784f966c-dcht4: container app: image syncd-test/app:99 is not on the node, and its imagePullPolicy is Never"},
		"deployment-invalid-image":        {resource.Failed, `pod invalid-75675f56c4-qk88c: container app: image name Shop//web:::1 is not valid: Failed to apply default image tag "Shop//web:::1": couldn't parse image name "Shop//web:::1": invalid reference format`},
		"deployment-crashed-once":         {resource.Progressing, "updated: 1/2; pod crash-5497b6bbf8-pj4h7: container app: crashed (exit 3)"},
		"deployment-crash-loop":           {resource.Failed, "pod crash-5497b6bbf8-pj4h7: container app: crashes again and again (exit 3)"},
		"deployment-cannot-start":         {resource.Failed, `pod start-b7fbb5d8-4ps8l: container app: crashes again and again (exit 128, StartError: exec: "/no/such/program": stat /no/such/program: no such file or directory)`},
		"deployment-init-crash":           {resource.Progressing, "updated: 1/2; pod initc-7f6bcb548-lb7m9: container migrate: runs before the others start (restarts: 3, after exit 4)"},
		"deployment-config-missing-early": {resource.Progressing, `updated: 1/2; pod config-768f4ff646-x5hxs: container app: cannot be configured: secret "database" not found`},
		"deployment-config-missing":       {resource.Failed, `pod config-768f4ff646-x5hxs: container app: cannot be configured: secret "database" not found`},
		"deployment-unschedulable-early":  {resource.Progressing, "updated: 1/2; pod place-7c888ff99f-xqnts: no node takes it: 0/1 nodes are available: 1 Insufficient cpu"},
		"deployment-unschedulable":        {resource.Failed, "pod place-7c888ff99f-xqnts: no node takes it: 0/1 nodes are available: 1 Insufficient cpu"},
		"deployment-never-ready":          {resource.Progressing, "updated: 1/2; pod unready-54dd7f5f9-n74z2: container app: runs, but is not ready"},
		"deployment-quota":                {resource.Failed, `its pods are refused: pods "web-7cfdddd6bc-4mngh" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=0, limited: pods=0`},
		"daemonset-crash-loop":            {resource.Failed, "pod agent-qg5c5: container app: crashes again and again (exit 1)"},
		"job-retries":                     {resource.Progressing, "1 active, 0 succeeded; pod retry-wvlfs: container main: ended (exit 3)"},
		"job-image-pull":                  {resource.Failed, `pod noimage-rb7fq: container main: image registry.example/shop/job:9 cannot be pulled: failed to do request: Head "https://registry.example/v2/shop/job/manifests/9": dial tcp 192.0.2.1:443: connect: connection refused`},
	} {
		t.Run(name, func(t *testing.T) { is(t, recorded(t, name), want.state, want.reason) })
	}
}

// variants of a recorded pod, for what a cluster cannot be made to say at will.
func TestVerdictsOfRarePods(t *testing.T) {
	for name, c := range map[string]struct {
		from, old, with string
		state           resource.State
	}{
		"out of memory twice":       {"deployment-crashed-once", `"reason":"Error"`, `"reason":"OOMKilled"`, resource.Failed},
		"ended well for ever":       {"deployment-crash-loop", `"exitCode":3`, `"exitCode":0`, resource.Failed},
		"runtime refuses":           {"deployment-image-pull", "ImagePullBackOff", "CreateContainerError", resource.Failed},
		"runtime is slow":           {"deployment-registry-down", "ImagePullBackOff", "CreateContainerError", resource.Progressing},
		"run refused":               {"deployment-image-pull", "ImagePullBackOff", "RunContainerError", resource.Failed},
		"not signed":                {"deployment-image-pull", "ImagePullBackOff", "SignatureValidationFailed", resource.Failed},
		"unheard of":                {"deployment-image-pull", "ImagePullBackOff", "SomethingNew", resource.Progressing},
		"volume is not mounted yet": {"deployment-image-pull", "ImagePullBackOff", "ContainerCreating", resource.Progressing},
		"evicted":                   {"deployment-crash-loop", `"phase":"Running"`, `"phase":"Failed","reason":"Evicted"`, resource.Progressing},
		"leaving":                   {"deployment-crash-loop", `"creationTimestamp"`, `"deletionTimestamp":"2026-11-21T17:40:00Z","creationTimestamp"`, resource.Progressing},
	} {
		t.Run(name, func(t *testing.T) {
			s := recorded(t, c.from).replacing(t, c.old, c.with)
			if h := s.health(); h.State != c.state {
				t.Errorf("is %s: %s", h.State, h.Reason)
			}
		})
	}
}

func TestCrashesOfAJobAreItsOwnPolicysBusiness(t *testing.T) {
	s := recorded(t, "job-retries").replacing(t, `"restartCount":2`, `"restartCount":9`)
	if h := s.health(); h.State != resource.Progressing {
		t.Errorf("%+v", h)
	}
}

func TestOnePodThatFindsNoNodeDoesNotFailTheOthers(t *testing.T) {
	s := recorded(t, "deployment-unschedulable").after(time.Hour)
	running := recorded(t, "deployment-never-ready").parts
	owner := s.parts[len(s.parts)-1]
	for _, part := range s.parts {
		if part.GetKind() == "Pod" && part.GetLabels()["pod-template-hash"] == "7c888ff99f" {
			owner = part
		}
	}
	for _, part := range running {
		if part.GetName() == "unready-54dd7f5f9-n74z2" {
			part.SetOwnerReferences(owner.GetOwnerReferences())
			s.parts = append(s.parts, part)
		}
	}
	is(t, s, resource.Progressing, "updated: 1/2; pod place-7c888ff99f-xqnts: no node takes it: 0/1 nodes are available: 1 Insufficient cpu")
}

func TestBlameNamesTheContainerToRead(t *testing.T) {
	for name, want := range map[string]health.Culprit{
		"deployment-crash-loop":   {Pod: "crash-5497b6bbf8-pj4h7", Container: "app"},
		"deployment-cannot-start": {Pod: "start-b7fbb5d8-4ps8l", Container: "app"},
		"deployment-init-crash":   {Pod: "initc-7f6bcb548-lb7m9", Container: "migrate", Previous: true},
		"deployment-never-ready":  {Pod: "unready-54dd7f5f9-n74z2", Container: "app"},
		"deployment-image-pull":   {},
		"deployment-quota":        {},
		"job-failed":              {Pod: "broken-q7dpj", Container: "main"},
		"pod-failed":              {Pod: "pod-failed", Container: "main"},
		"crd-established":         {},
	} {
		s := recorded(t, name)
		got, ok := health.Blame(s.object, s.parts, s.now)
		if got != want || ok != (want.Container != "") {
			t.Errorf("%s: blames %+v (%v), want %+v", name, got, ok, want)
		}
	}
	if got, ok := health.Blame(nil, nil, time.Time{}); ok {
		t.Errorf("blames %+v for nothing", got)
	}
}

func TestBlameFindsARunningContainerWhenNothingIsTheMatter(t *testing.T) {
	s := recorded(t, "job-running")
	if got, ok := health.Blame(s.object, s.parts, s.now); !ok || got.Container != "main" {
		t.Errorf("blames %+v", got)
	}
}
