package health_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

// The known holes of kstatus, and of Deployments' own verdict, each closed by a
// test of its name. current shows that there is a hole.
func current(t *testing.T, s seen, want status.Status) {
	t.Helper()
	result, err := status.Compute(s.object)
	if err != nil {
		t.Fatal(err)
	}
	if result.Status != want {
		t.Errorf("kstatus says %s now: this hole is closed there", result.Status)
	}
}

func TestARunningJobIsNotDone(t *testing.T) {
	s := recorded(t, "job-running")
	current(t, s, status.CurrentStatus)
	is(t, s, resource.Progressing, "1 active, 0 succeeded")
	is(t, recorded(t, "job-complete"), resource.Well, "")
	is(t, recorded(t, "job-failed"), resource.Failed,
		"BackoffLimitExceeded: Job has reached the specified backoff limit: pod broken-q7dpj: container main: failed (exit 3)")
}

func TestAJobIsJudgedBeforeItsPodsAreGone(t *testing.T) {
	running := recorded(t, "job-running")
	for kind, want := range map[string]resource.State{"SuccessCriteriaMet": resource.Well, "FailureTarget": resource.Failed} {
		c := map[string]any{"type": kind, "status": "True", "reason": "Said", "message": "so"}
		if h := running.with(t, []any{c}, "status", "conditions").health(); h.State != want {
			t.Errorf("%s: %+v", kind, h)
		}
	}
}

func TestAFailedPodIsFailed(t *testing.T) {
	s := recorded(t, "pod-failed")
	current(t, s, status.CurrentStatus)
	is(t, s, resource.Failed, "pod pod-failed: container main: failed (exit 5)")
	if code := s.health().ExitCode; code == nil || *code != 5 {
		t.Errorf("exit code %v", code)
	}
	is(t, recorded(t, "pod-succeeded"), resource.Well, "")
}

func TestACustomResourceWithoutStatusIsWatchedForAMoment(t *testing.T) {
	s := recorded(t, "custom-without-status")
	current(t, s, status.CurrentStatus)
	is(t, s, resource.Well, "has no status: nothing says otherwise")
	if h := s.health(); h.Check != apply.CheckRunning {
		t.Errorf("nothing has it watched: %+v", h)
	}
	h := health.Of(s.object, nil, &resource.Check{Healthy: `object.status.phase == "Done"`}, s.now)
	if h.State != resource.Progressing || h.Check != health.CheckExpression {
		t.Errorf("its own check does not decide: %+v", h)
	}
}

func TestALoadBalancerWaitsForItsAddress(t *testing.T) {
	s := recorded(t, "service-loadbalancer-pending")
	current(t, s, status.CurrentStatus)
	is(t, s, resource.Progressing, "waits for the address of its load balancer")
	if !s.health().Started {
		t.Error("it holds up the tier after it")
	}
	address := []any{map[string]any{"ip": "192.0.2.7"}}
	is(t, s.with(t, address, "status", "loadBalancer", "ingress"), resource.Well, "")
}

func TestAStatefulSetFailsByItsPods(t *testing.T) {
	s := recorded(t, "statefulset-crash-loop")
	current(t, s, status.InProgressStatus)
	is(t, s, resource.Failed, "pod db-1: container app: crashes again and again (exit 1)")
}

func TestAStatefulSetsPodsHaveToBeAvailableToo(t *testing.T) {
	s := recorded(t, "statefulset-well").with(t, int64(1), "status", "availableReplicas")
	current(t, s, status.CurrentStatus)
	is(t, s, resource.Progressing, "available: 1/2")
}

func TestAStatefulSetsFixSaysWhatHoldsItUp(t *testing.T) {
	s := recorded(t, "statefulset-fix-held-up")
	is(t, s, resource.Progressing, "ready: 1/2; pod db-1 of an older revision is not ready and holds up the update until it is deleted")
	if names := health.Stuck(s.object, s.parts); len(names) != 1 || names[0] != "db-1" {
		t.Errorf("stuck: %v", names)
	}
	free := s.with(t, "Parallel", "spec", "podManagementPolicy")
	kept := s.with(t, int64(2), "spec", "updateStrategy", "rollingUpdate", "partition")
	for _, other := range []seen{free, kept, recorded(t, "statefulset-well"), recorded(t, "daemonset-fix")} {
		if names := health.Stuck(other.object, other.parts); len(names) > 0 {
			t.Errorf("stuck: %v", names)
		}
	}
}

func TestABrokenRolloutIsFoundLongBeforeItsProgressDeadline(t *testing.T) {
	for _, name := range []string{"image-pull", "crash-loop", "config-missing", "unschedulable", "quota"} {
		s := recorded(t, "deployment-"+name)
		current(t, s, status.InProgressStatus)
		if h := s.health(); h.State != resource.Failed {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

func TestAnOldMissedDeadlineDoesNotFailTheFix(t *testing.T) {
	s := recorded(t, "deployment-deadline-of-old")
	current(t, s, status.FailedStatus)
	is(t, s, resource.Progressing, "updated: 0/2; pod third-798b795f56-k8xp8: container app: is being made")
	is(t, recorded(t, "deployment-deadline"), resource.Failed,
		"no progress within progressDeadlineSeconds (3): pod deadline-6fb845c5d5-v462g: container app: runs, but is not ready")
}

// A change that keeps the template keeps the pods, and the condition that they missed
// a deadline: what was before the change is not its fault.
func TestWhatWasBeforeTheChangeDoesNotFailIt(t *testing.T) {
	for name, c := range map[string]struct {
		put   time.Duration // before the recording
		state resource.State
		want  string
	}{
		"deployment-deadline":       {time.Second, resource.Progressing, "updated: 1/2; pod deadline-6fb845c5d5-v462g: container app: runs, but is not ready"},
		"deployment-quota":          {time.Second, resource.Progressing, ""},
		"deployment-unschedulable":  {time.Second, resource.Progressing, ""},
		"deployment-config-missing": {time.Second, resource.Progressing, ""},
		"deployment-crash-loop":     {time.Second, resource.Progressing, "crashed before the change (exit 3)"},
		"statefulset-crash-loop":    {time.Second, resource.Progressing, "crashed before the change (exit 1)"},
		"deployment-cannot-start":   {time.Second, resource.Progressing, "crashed before the change (exit 128"},
		"deployment-invalid-image":  {time.Second, resource.Failed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := recorded(t, name)
			if h := s.put(t, s.now.Add(-c.put)).health(); h.State != c.state || !strings.Contains(h.Reason, c.want) {
				t.Errorf("%+v", h)
			}
			if h := s.put(t, s.now.Add(-time.Hour)).health(); h.State != resource.Failed {
				t.Errorf("put long ago: %+v", h)
			}
		})
	}
	// Its pods are older, and one of them began a run since then, and crashed.
	s := recorded(t, "deployment-crash-loop")
	if h := s.put(t, time.Date(2026, 11, 21, 17, 34, 20, 0, time.UTC)).health(); h.State != resource.Failed {
		t.Errorf("%+v", h)
	}
}

func TestAnotherGenerationMeansProgressing(t *testing.T) {
	for _, name := range []string{"deployment-deadline", "deployment-well", "statefulset-crash-loop", "daemonset-well", "replicaset-well"} {
		s := recorded(t, name).with(t, int64(99), "metadata", "generation")
		is(t, s, resource.Progressing, "the "+s.object.GetKind()+" controller has not looked at it yet")
		if h := s.health(); h.Started || !h.Unseen {
			t.Errorf("%s counts as started, or as seen: %+v", name, h)
		}
	}
	s := recorded(t, "deployment-well").with(t, map[string]any{}, "status")
	is(t, s, resource.Progressing, "the Deployment controller has not looked at it yet")
}

func TestSuspendedAndPausedAreSaidAndNotFailed(t *testing.T) {
	is(t, recorded(t, "job-suspended"), resource.Well, "is suspended: it runs nothing")
	is(t, recorded(t, "deployment-paused"), resource.Well, "is paused: its pods are left as they are")
	is(t, written(t, "{apiVersion: batch/v1, kind: CronJob, metadata: {name: nightly}, spec: {suspend: true}}"),
		resource.Well, "is suspended: it starts no jobs")
	queued := recorded(t, "job-suspended").with(t, "small", "metadata", "labels", "kueue.x-k8s.io/queue-name")
	is(t, queued, resource.Progressing, "waits in queue small")
}

func TestOldPodsNeverFailTheNewRevision(t *testing.T) {
	is(t, recorded(t, "deployment-fix-beside-crash-loop"), resource.Progressing,
		"updated: 1/2; pod crash-69ccdb969f-96gw8: container app: runs, but is not ready")
	daemons := recorded(t, "daemonset-fix")
	daemons.parts = append(daemons.parts, recorded(t, "daemonset-crash-loop").parts...)
	is(t, daemons, resource.Progressing, "available: 0/1; pod agent-vn2kl: container app: runs, but is not ready")
	s := recorded(t, "deployment-crash-loop").without("ReplicaSet")
	is(t, s, resource.Progressing, "updated: 1/2")
}

func TestRestartsAreThoseOfTheNewRevision(t *testing.T) {
	for name, want := range map[string]int{
		"deployment-crash-loop": 3, "deployment-fix-beside-crash-loop": 0, "deployment-init-crash": 3,
		"job-retries": 0, "daemonset-crash-loop": 2,
	} {
		if got := recorded(t, name).health().Restarts; got != want {
			t.Errorf("%s: %d restarts, want %d", name, got, want)
		}
	}
}

func TestWhatNothingProbesIsWatchedForAMoment(t *testing.T) {
	for name, want := range map[string]string{
		"deployment-unprobed": apply.CheckRunning, "pod-running": apply.CheckRunning,
		"deployment-well": health.CheckStatus, "statefulset-well": health.CheckStatus,
	} {
		if h := recorded(t, name).health(); h.State != resource.Well || h.Check != want {
			t.Errorf("%s: %+v", name, h)
		}
	}
}

// Whether its pods were looked at makes no difference: they are there by its counts.
func TestWhatNothingProbesIsWatchedWithItsPodsUnseen(t *testing.T) {
	for name, field := range map[string][]string{
		"deployment-unprobed": {"spec", "replicas"}, "daemonset-well": {"status", "desiredNumberScheduled"},
	} {
		s := recorded(t, name).without("Pod")
		unstructured.RemoveNestedField(s.object.Object, "spec", "template", "spec", "containers")
		if h := s.health(); h.State != resource.Well || h.Check != apply.CheckRunning {
			t.Errorf("%s: %+v", name, h)
		}
		for _, counted := range []string{"replicas", "updatedReplicas", "readyReplicas", "availableReplicas"} {
			if field[0] == "spec" {
				s = s.with(t, int64(0), "status", counted)
			}
		}
		if h := s.with(t, int64(0), field...).health(); h.State != resource.Well || h.Check != health.CheckStatus {
			t.Errorf("%s of none: %+v", name, h)
		}
	}
}

func TestAReasonIsOneShortLine(t *testing.T) {
	long := strings.Repeat("no such file\n", 100)
	s := recorded(t, "crd-names-refused").with(t, []any{map[string]any{
		"type": "NamesAccepted", "status": "False", "reason": "Long", "message": long,
	}}, "status", "conditions")
	if h := s.health(); len(h.Reason) > 400 || strings.Contains(h.Reason, "\n") {
		t.Errorf("%d bytes: %q", len(h.Reason), h.Reason)
	}
}

func TestGracesDoNotPassWithoutATime(t *testing.T) {
	for _, name := range []string{"deployment-config-missing", "deployment-unschedulable", "deployment-quota", "deployment-registry-down"} {
		s := recorded(t, name)
		s.now = time.Time{}
		if h := s.health(); h.State != resource.Progressing {
			t.Errorf("%s: %+v", name, h)
		}
	}
}
