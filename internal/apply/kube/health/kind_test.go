package health_test

import (
	"testing"
	"time"

	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

func TestVerdictsOfOtherKinds(t *testing.T) {
	for name, want := range map[string]struct {
		state  resource.State
		reason string
	}{
		"claim-waits-for-consumer":   {resource.Well, "waits for its first consumer"},
		"claim-being-made":           {resource.Progressing, "waits for its volume to be made"},
		"configmap-being-deleted":    {resource.Progressing, "is being deleted (finalizers: example.com/keep)"},
		"crd-established":            {resource.Well, ""},
		"crd-names-refused":          {resource.Failed, `SingularConflict: "thing" is already in use`},
		"apiservice-unavailable":     {resource.Progressing, `Available is False: ServiceNotFound: service/nobody in "shop" is not present`},
		"daemonset-well":             {resource.Well, ""},
		"daemonset-ondelete":         {resource.Well, "pods of an older revision stay until they are deleted (OnDelete): 1"},
		"statefulset-well":           {resource.Well, ""},
		"statefulset-ondelete":       {resource.Well, "pods of an older revision stay until they are deleted (OnDelete): 2"},
		"statefulset-partition":      {resource.Well, "pods of an older revision stay (partition): 1"},
		"replicaset-well":            {resource.Well, ""},
		"replicationcontroller-well": {resource.Well, ""},
		"deployment-well":            {resource.Well, ""},
	} {
		t.Run(name, func(t *testing.T) { is(t, recorded(t, name), want.state, want.reason) })
	}
}

func TestATerminatingNamespaceIsFailedAndSaysWhatRemains(t *testing.T) {
	s := recorded(t, "namespace-terminating").with(t, []any{map[string]any{
		"type": "NamespaceFinalizersRemaining", "status": "True", "message": "finalizers remain: example.com/keep in 1 instance",
	}}, "status", "conditions")
	is(t, s, resource.Failed, "is terminating: nothing can be made in it (finalizers remain: example.com/keep in 1 instance)")
}

func TestCountsDecideWherePodsSayNothing(t *testing.T) {
	for name, c := range map[string]struct {
		from  string
		field []string
		value int64
		want  string
	}{
		"deployment":            {"deployment-well", []string{"spec", "replicas"}, 3, "replicas: 2/3"},
		"stateful set":          {"statefulset-well", []string{"spec", "replicas"}, 3, "replicas: 2/3"},
		"on delete":             {"statefulset-ondelete", []string{"status", "availableReplicas"}, 1, "available: 1/2"},
		"daemon set":            {"daemonset-well", []string{"status", "desiredNumberScheduled"}, 2, "current: 1/2"},
		"daemons on delete":     {"daemonset-ondelete", []string{"status", "numberAvailable"}, 0, "available: 0/1"},
		"replica set":           {"replicaset-well", []string{"status", "availableReplicas"}, 0, "available: 0/1"},
		"replication controler": {"replicationcontroller-well", []string{"status", "availableReplicas"}, 0, "available: 0/1"},
	} {
		t.Run(name, func(t *testing.T) {
			is(t, recorded(t, c.from).with(t, c.value, c.field...), resource.Progressing, c.want)
		})
	}
}

func TestClaims(t *testing.T) {
	claim := recorded(t, "claim-being-made")
	is(t, claim.with(t, "Bound", "status", "phase"), resource.Well, "")
	lost := claim.with(t, "Lost", "status", "phase").with(t, "pv-7", "spec", "volumeName")
	is(t, lost, resource.Failed, "its volume pv-7 is lost")
	if h := claim.health(); !h.Started {
		t.Error("a claim that waits holds up what consumes it")
	}
}

func TestVerdictsOfCustomResources(t *testing.T) {
	for name, c := range map[string]struct {
		status string
		state  resource.State
		reason string
	}{
		"ready":                 {`{conditions: [{type: Ready, status: "True"}]}`, resource.Well, ""},
		"not ready":             {`{conditions: [{type: Ready, status: "False", reason: Issuing, message: no order yet}]}`, resource.Progressing, "Issuing: no order yet"},
		"ready of old":          {`{conditions: [{type: Ready, status: "True", observedGeneration: 2}]}`, resource.Progressing, "Ready is of an older generation"},
		"other generation":      {`{observedGeneration: 2, conditions: [{type: Ready, status: "True"}]}`, resource.Progressing, "its controller has not seen this change yet"},
		"ready but not synced":  {`{conditions: [{type: Ready, status: "True"}, {type: Synced, status: "False", reason: ReconcileError, message: denied}]}`, resource.Progressing, "Synced is False: ReconcileError: denied"},
		"degraded":              {`{conditions: [{type: Available, status: Degraded}]}`, resource.Progressing, "Available is Degraded"},
		"waits for a controler": {`{conditions: [{type: Accepted, status: Unknown, reason: Pending, message: Waiting for controller}]}`, resource.Progressing, "Accepted is Unknown: Pending: Waiting for controller"},
		"reconciling":           {`{conditions: [{type: Reconciling, status: "True", reason: Progressing, message: fetching}, {type: Ready, status: "True"}]}`, resource.Progressing, "Progressing: fetching"},
		"stalled":               {`{conditions: [{type: Stalled, status: "True", reason: BadSpec, message: no such field}]}`, resource.Failed, "BadSpec: no such field"},
		"failed":                {`{conditions: [{type: Failed, status: "True", reason: Lost, message: gone}]}`, resource.Failed, "Lost: gone"},
		"established":           {`{conditions: [{type: Established, status: "True"}, {type: Offered, status: "False"}]}`, resource.Well, ""},
		"a phase":               {`{phase: Pending}`, resource.Well, ""},
		"other conditions":      {`{conditions: {Ready: false}}`, resource.Well, ""},
		"a list of errors":      {`{conditions: [{type: ComparisonError, message: x}, 7]}`, resource.Well, ""},
		"empty":                 {`{}`, resource.Well, "has no status: nothing says otherwise"},
	} {
		t.Run(name, func(t *testing.T) {
			s := written(t, "{apiVersion: example.com/v1, kind: Service, metadata: {name: one, generation: 3}, status: "+c.status+"}")
			is(t, s, c.state, c.reason)
		})
	}
}

func TestAChecksVerdicts(t *testing.T) {
	well := recorded(t, "deployment-well")
	for name, c := range map[string]struct {
		of     seen
		check  resource.Check
		state  resource.State
		reason string
	}{
		"holds":                {well, resource.Check{Healthy: "object.status.readyReplicas == 2"}, resource.Well, ""},
		"does not hold":        {well, resource.Check{Healthy: "object.status.readyReplicas > 2"}, resource.Progressing, "its check does not hold yet: object.status.readyReplicas > 2"},
		"fails":                {well, resource.Check{Failed: "object.status.readyReplicas == 2"}, resource.Failed, "its check says failed: object.status.readyReplicas == 2"},
		"says nothing":         {well, resource.Check{Failed: "object.status.readyReplicas == 0"}, resource.Well, ""},
		"cannot override pods": {recorded(t, "pod-failed"), resource.Check{Healthy: "true"}, resource.Failed, "pod pod-failed: container main: failed (exit 5)"},
		"waits for its turn":   {well.with(t, int64(9), "metadata", "generation"), resource.Check{Healthy: "true"}, resource.Progressing, "the Deployment controller has not looked at it yet"},
		"speaks for more":      {recorded(t, "deployment-never-ready"), resource.Check{Healthy: "object.status.readyReplicas >= 2"}, resource.Well, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := health.Of(c.of.object, c.of.parts, &c.check, c.of.now)
			if h.State != c.state || h.Reason != c.reason {
				t.Errorf("is %s: %s", h.State, h.Reason)
			}
		})
	}
	if h := health.Of(well.object, well.parts, &resource.Check{Healthy: "object."}, well.now); h.State != resource.Failed || h.Check != health.CheckExpression {
		t.Errorf("a check that cannot be read: %+v", h)
	}
}

func TestSettledIsWhatNobodyHasToWatch(t *testing.T) {
	for manifest, want := range map[string]bool{
		"{apiVersion: v1, kind: ConfigMap}":                                     true,
		"{apiVersion: v1, kind: Secret}":                                        true,
		"{apiVersion: v1, kind: ServiceAccount}":                                true,
		"{apiVersion: v1, kind: Namespace}":                                     true,
		"{apiVersion: v1, kind: Service, spec: {type: ClusterIP}}":              true,
		"{apiVersion: v1, kind: Service}":                                       true,
		"{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}}":           false,
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role}":                true,
		"{apiVersion: networking.k8s.io/v1, kind: Ingress}":                     true,
		"{apiVersion: policy/v1, kind: PodDisruptionBudget}":                    true,
		"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler}":           true,
		"{apiVersion: batch/v1, kind: CronJob}":                                 true,
		"{apiVersion: batch/v1, kind: Job}":                                     false,
		"{apiVersion: v1, kind: PersistentVolumeClaim}":                         false,
		"{apiVersion: apps/v1, kind: Deployment}":                               false,
		"{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}": false,
		"{apiVersion: apiregistration.k8s.io/v1, kind: APIService}":             false,
		"{apiVersion: example.com/v1, kind: ConfigMap}":                         false,
		"{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway}":             false,
	} {
		s := written(t, manifest)
		if got := health.Settled(s.object, nil); got != want {
			t.Errorf("%s: settled is %v", manifest, got)
		}
		if want {
			is(t, s, resource.Well, "")
		}
		if health.Settled(s.object, &resource.Check{}) {
			t.Errorf("%s: is settled in spite of its check", manifest)
		}
	}
}

func TestPartsAreWhatHealthIsReadFrom(t *testing.T) {
	for name, want := range map[string][]string{
		"deployment-well":            {"replicasets app=web", "pods app=web"},
		"statefulset-well":           {"pods app=db"},
		"daemonset-well":             {"pods app=agent"},
		"replicaset-well":            {"pods app=rs"},
		"replicationcontroller-well": {"pods app=rc"},
		"job-complete":               {"pods batch.kubernetes.io/controller-uid=" + string(recorded(t, "job-complete").object.GetUID())},
		"pod-running":                nil,
		"crd-established":            nil,
	} {
		object := recorded(t, name).object
		var got []string
		for _, part := range health.Parts(object) {
			got = append(got, part.Resource.Resource+" "+part.Selector)
		}
		if len(got) != len(want) || len(got) > 0 && got[0] != want[0] || len(got) > 1 && got[1] != want[1] {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if health.NeedsPods(object) != (len(want) > 0) {
			t.Errorf("%s: needs pods is %v", name, health.NeedsPods(object))
		}
	}
	if parts := health.Parts(nil); parts != nil {
		t.Errorf("nothing is read from %v", parts)
	}
}

func TestNothingIsAbsent(t *testing.T) {
	if h := health.Of(nil, nil, nil, time.Time{}); h.State != resource.Absent || h.Started {
		t.Errorf("%+v", h)
	}
}
