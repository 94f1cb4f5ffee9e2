package kube

import (
	"strings"
	"testing"
)

const shop = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
        image: syncd-test/app:1
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]`

func TestFirstDeployAndRollingChange(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(shop))
	if _, report := p.observe(p.set(shop)); !report.InSync() {
		t.Fatalf("after the first deploy: %s", report)
	}
	second := strings.Replace(shop, "app:1", "app:2", 1)
	_, report := p.observe(p.set(second))
	if got := report.String(); !strings.Contains(got, "spec.template.spec.containers[app].image: syncd-test/app:1 -> syncd-test/app:2") {
		t.Fatalf("the difference: %s", got)
	}
	p.deploy(p.set(second))
	if _, report := p.observe(p.set(second)); !report.InSync() {
		t.Fatalf("after the change: %s", report)
	}
}

func TestABadImageIsNamedInSeconds(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(shop))
	out := p.roll(p.set(strings.Replace(shop, "app:1", "app:none", 1)))
	if len(out.Failures) != 1 || !strings.Contains(out.Failures[0].Reason, "app:none") {
		t.Fatalf("%+v", out)
	}
	p.deploy(p.set(shop))
}

const ordered = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 1
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: app
        image: syncd-test/app:1
        imagePullPolicy: Never
        readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}`

func TestABrokenStatefulSetComesBack(t *testing.T) {
	p := newPlace(t)
	p.deploy(p.set(ordered))
	if out := p.roll(p.set(strings.Replace(ordered, "app:1", "app:none", 1))); len(out.Failures) != 1 {
		t.Fatalf("%+v", out)
	}
	p.deploy(p.set(ordered))
}
