package kube

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/applytest"
	"syncd.io/syncd/internal/resource"
)

const oneWeb = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: app, image: "syncd-test/app:1"}]`

const oneJob = `
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: app, image: "syncd-test/app:1", args: [job, "0", "0"]}]`

func TestKubernetesConforms(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the shared cluster")
	}
	applytest.Conformance(t, func(t *testing.T) (apply.Target, applytest.Fixtures) {
		p := newPlace(t)
		one := func(text string) resource.Object { return p.set(text)[0] }
		return p.target, applytest.Fixtures{
			Owned: p.owned, Alone: true,
			V1: one(oneWeb), V2: one(strings.Replace(oneWeb, "app:1", "app:2", 1)), Mended: one(strings.Replace(oneWeb, "name: web", "name: web, labels: {team: a}", 1)),
			Job: one(oneJob), Broken: one(strings.Replace(oneJob, `"0"]`, `"3"]`, 1)),
		}
	})
}
