package reconcile

import (
	"cmp"
	"encoding/json"
	"slices"

	"syncd.io/syncd/internal/resource"
)

// workload is what runs pods, as far as a person wants to read of it.
type workload struct {
	Spec struct {
		Replicas *int `json:"replicas"`
		// Template is that of all kinds but CronJob and Pod.
		Template    podTemplate `json:"template"`
		JobTemplate struct {
			Spec struct {
				Template podTemplate `json:"template"`
			} `json:"spec"`
		} `json:"jobTemplate"`
		podSpec
	} `json:"spec"`
}

type podTemplate struct {
	Spec podSpec `json:"spec"`
}

type podSpec struct {
	Containers []struct {
		Image string `json:"image"`
	} `json:"containers"`
}

// runsPods tells the kinds of a cluster that have pods of their own.
func runsPods(key resource.Key) bool {
	switch key.Kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod":
		return true
	}
	return false
}

// workloadsOf are the images that objects of a cluster run, in key order.
func workloadsOf(objects []resource.Object) []ServiceStatus {
	var out []ServiceStatus
	for _, o := range resource.Sorted(objects) {
		var w workload
		if !runsPods(o.Key) || json.Unmarshal(o.Spec, &w) != nil {
			continue
		}
		replicas := 1
		if w.Spec.Replicas != nil {
			replicas = *w.Spec.Replicas
		}
		pods := slices.Concat(w.Spec.Containers, w.Spec.Template.Spec.Containers, w.Spec.JobTemplate.Spec.Template.Spec.Containers)
		for _, c := range pods {
			out = append(out, ServiceStatus{Service: o.Key.String(), Replicas: replicas, Image: c.Image})
		}
	}
	return out
}

// jobName is what a job is called in settings and in the record: its service, or
// on a cluster its own name.
func jobName(o resource.Object) string {
	if runsPods(o.Key) {
		return o.Key.Name
	}
	return cmp.Or(o.Group, o.Key.Name)
}
