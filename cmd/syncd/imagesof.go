package main

import (
	"encoding/json"

	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// imagesOf are the images that objects run: those of containers of an engine, and of
// pods of a cluster, whatever makes the pods.
func imagesOf(objects []resource.Object) []string {
	var out []string
	for _, o := range objects {
		var c spec.Container
		if o.Key.Kind == spec.KindContainer {
			if json.Unmarshal(o.Spec, &c) == nil && c.Image != "" {
				out = append(out, c.Image)
			}
			continue
		}
		var tree any
		if json.Unmarshal(o.Spec, &tree) == nil {
			out = append(out, inPods(tree, 0)...)
		}
	}
	return out
}

// deepest is how far below an object a pod's containers can be: CronJob, job, pod.
const deepest = 20

// inPods finds lists of containers. Custom resources have them in the same shape.
func inPods(tree any, depth int) []string {
	var out []string
	switch node := tree.(type) {
	case map[string]any:
		for key, value := range node {
			if key == "containers" || key == "initContainers" || key == "ephemeralContainers" {
				out = append(out, imagesIn(value)...)
			}
			if depth < deepest {
				out = append(out, inPods(value, depth+1)...)
			}
		}
	case []any:
		for _, value := range node {
			if depth < deepest {
				out = append(out, inPods(value, depth+1)...)
			}
		}
	}
	return out
}

func imagesIn(list any) []string {
	var out []string
	items, _ := list.([]any)
	for _, item := range items {
		container, _ := item.(map[string]any)
		if name, _ := container["image"].(string); name != "" {
			out = append(out, name)
		}
	}
	return out
}
