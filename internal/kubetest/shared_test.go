package kubetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// web is a Deployment of three pods that are ready half a second after they
// start, and which is never below three that are.
func web(name, tag string) string {
	return fmt.Sprintf(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": %[1]q}, "spec": {
		"replicas": 3, "selector": {"matchLabels": {"run": %[1]q}}, "strategy": {"rollingUpdate": {"maxUnavailable": 0}},
		"template": {"metadata": {"labels": {"run": %[1]q}}, "spec": {"terminationGracePeriodSeconds": 2, "containers": [{
			"name": "app", "image": "%[3]s:%[2]s", "env": [{"name": "READY_AFTER", "value": "500ms"}],
			"readinessProbe": {"periodSeconds": 1, "httpGet": {"path": "/ready", "port": 8080}}}]}}}}`, name, tag, App)
}

// work is a Job, or the pod of one, that runs the test program with arguments.
func work(name, args string) string {
	return fmt.Sprintf(`{"metadata": {"name": %q}, "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never",
		"containers": [{"name": "app", "image": "%s:1", "args": %s}]}}}}`, name, App, args)
}

// has returns an error unless a collection has that many objects.
func has(ctx context.Context, a *Access, collection string, count int) error {
	found, err := a.Do(ctx, http.MethodGet, collection, nil)
	if err == nil && len(list(found, "items")) != count {
		return fmt.Errorf("there are %d of %d", len(list(found, "items")), count)
	}
	return err
}

// gone returns an error unless the server does not know that object.
func gone(ctx context.Context, a *Access, path string) error {
	_, err := a.Do(ctx, http.MethodGet, path, nil)
	if refused(err) == http.StatusNotFound {
		return nil
	}
	return errors.Join(errors.New("it is still there"), err)
}

// rolled returns an error unless all of a Deployment is of its latest template
// and ready.
func rolled(ctx context.Context, a *Access, path string) error {
	found, err := a.Do(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	status, _ := found["status"].(map[string]any)
	for _, field := range []string{"replicas", "updatedReplicas", "readyReplicas"} {
		if status[field] != 3.0 {
			return fmt.Errorf("its status is %v", status)
		}
	}
	if field(found, "metadata", "generation") != status["observedGeneration"] {
		return errors.New("its controller has not seen the change")
	}
	return nil
}

func TestADeploymentRollsOnTheSharedCluster(t *testing.T) {
	t.Parallel()
	c := Shared(t)
	ns := c.Namespace(t)
	path := in(ns, "deployments/web")
	for _, tag := range []string{"1", "2"} {
		began := time.Now()
		if _, err := c.Do(t.Context(), http.MethodPatch, path+"?fieldManager=test", jsonOf(web("web", tag))); err != nil {
			t.Fatal(err)
		}
		eventually(t, "three pods of version "+tag, func(ctx context.Context) error { return rolled(ctx, c, path) })
		t.Logf("version %s is ready after %v", tag, time.Since(began))
	}
	eventually(t, "the old pods go", func(ctx context.Context) error { return has(ctx, c, in(ns, "pods"), 3) })
	found, err := c.Do(t.Context(), http.MethodGet, in(ns, "pods"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range list(found, "items") {
		address := field(pod, "status", "podIP").(string)
		if answer := fetch(t, "http://"+address+":8080/"); answer != "2\n" {
			t.Errorf("the pod at %s says %q", address, answer)
		}
	}
}

func TestAJobEndsOnTheSharedCluster(t *testing.T) {
	t.Parallel()
	c := Shared(t)
	ns := c.Namespace(t)
	jobs := map[string]struct{ args, want string }{
		"good":  {`["job", "0.2", "0"]`, "Complete"},
		"bad":   {`["job", "0", "7"]`, "Failed"},
		"reach": {`["reach", "${KUBERNETES_SERVICE_HOST}:${KUBERNETES_SERVICE_PORT}"]`, "Complete"}, // a pod reaches the API server
	}
	for name, job := range jobs {
		create(t, c, in(ns, "jobs"), work(name, job.args))
	}
	for name, job := range jobs {
		eventually(t, name+" is "+job.want, func(ctx context.Context) error {
			found, err := c.Do(ctx, http.MethodGet, in(ns, "jobs/"+name), nil)
			for _, condition := range list(found, "status", "conditions") {
				if condition["type"] == job.want && condition["status"] == "True" {
					return nil
				}
			}
			return errors.Join(fmt.Errorf("its status is %v", found["status"]), err)
		})
	}
}

func TestPodsReachEachOther(t *testing.T) {
	t.Parallel()
	c := Shared(t)
	ns := c.Namespace(t)
	create(t, c, in(ns, "deployments"), web("web", "1"))
	eventually(t, "three pods are ready", func(ctx context.Context) error { return rolled(ctx, c, in(ns, "deployments/web")) })
	found, err := c.Do(t.Context(), http.MethodGet, in(ns, "pods"), nil)
	if err != nil {
		t.Fatal(err)
	}
	address := field(list(found, "items")[0], "status", "podIP").(string)
	create(t, c, in(ns, "jobs"), work("reach", fmt.Sprintf(`["reach", "%s:8080"]`, address)))
	eventually(t, "the job has reached the pod", func(ctx context.Context) error {
		return succeeded(ctx, c, in(ns, "jobs/reach"))
	})
}

func TestWhatAPodCannotRunIsReported(t *testing.T) {
	t.Parallel()
	c := Shared(t)
	ns := c.Namespace(t)
	pods := map[string]struct{ container, want string }{
		"absent":  {`"image": "registry.example/nothing:1"`, "ImagePullBackOff"},
		"unasked": {`"image": "registry.example/nothing:1", "imagePullPolicy": "Never"`, "ErrImageNeverPull"},
		"crash":   {`"image": "` + App + `:1", "env": [{"name": "CRASH", "value": "3"}]`, "CrashLoopBackOff"},
		"config":  {`"image": "` + App + `:1", "envFrom": [{"configMapRef": {"name": "nothing"}}]`, "CreateContainerConfigError"},
	}
	for name, pod := range pods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			create(t, c, in(ns, "pods"), fmt.Sprintf(`{"metadata": {"name": %q}, "spec": {"containers": [{"name": "app", %s}]}}`, name, pod.container))
			eventually(t, "it is "+pod.want, func(ctx context.Context) error { return waits(ctx, c, in(ns, "pods/"+name), pod.want) })
			t.Logf("it is %s after %v", pod.want, time.Since(began))
		})
	}
}

// waits returns an error unless a pod's container waits for that reason.
func waits(ctx context.Context, a *Access, path, reason string) error {
	found, err := a.Do(ctx, http.MethodGet, path, nil)
	for _, container := range list(found, "status", "containerStatuses") {
		if field(container, "state", "waiting", "reason") == reason {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("its containers are %v", list(found, "status", "containerStatuses")), err)
}

func TestTheLogOfACrashedContainerIsThere(t *testing.T) {
	t.Parallel()
	c := Shared(t)
	ns := c.Namespace(t)
	create(t, c, in(ns, "pods"), `{"metadata": {"name": "crash"}, "spec": {"containers": [
		{"name": "app", "image": "`+App+`:1", "env": [{"name": "CRASH", "value": "3"}, {"name": "SAY", "value": "of its own words"}]}]}}`)
	eventually(t, "it crashes", func(ctx context.Context) error { return waits(ctx, c, in(ns, "pods/crash"), "CrashLoopBackOff") })
	said, err := c.Read(t.Context(), in(ns, "pods/crash/log?previous=true"))
	if err != nil || !strings.Contains(string(said), "of its own words") || !strings.Contains(string(said), "exit code 3") {
		t.Errorf("its log is %q: %v", said, err)
	}
}

// restricted is a Job that the strictest of the pod security standards admits. It
// reaches a server of this machine.
const restricted = `{"metadata": {"name": "restricted"}, "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never",
	"securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
	"containers": [{"name": "app", "image": "` + App + `:1", "args": ["reach", %q],
		"securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}]}}}}`

func TestARestrictedPodReachesThisMachine(t *testing.T) {
	t.Parallel()
	c := Shared(t)
	ns := c.Namespace(t)
	if _, err := c.Do(t.Context(), http.MethodPatch, "/api/v1/namespaces/"+ns,
		jsonOf(`{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}`)); err != nil {
		t.Fatal(err)
	}
	host, err := c.Host()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	create(t, c, in(ns, "jobs"), fmt.Sprintf(restricted, listener.Addr()))
	eventually(t, "the job has reached this machine", func(ctx context.Context) error {
		return succeeded(ctx, c, in(ns, "jobs/restricted"))
	})
}

// succeeded returns an error unless a Job's pod has ended well.
func succeeded(ctx context.Context, a *Access, path string) error {
	found, err := a.Do(ctx, http.MethodGet, path, nil)
	if err == nil && field(found, "status", "succeeded") != 1.0 {
		return fmt.Errorf("its status is %v", found["status"])
	}
	return err
}

func TestUpIsQuickWhereTheClusterAnswers(t *testing.T) {
	c := Shared(t)
	if os.Getuid() != 0 {
		t.Skip("the shared cluster is root's")
	}
	before, err := c.Do(t.Context(), http.MethodGet, "/api/v1/namespaces/kube-system", nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := Up(t.Context(), t.Logf); err != nil {
		t.Fatal(err)
	}
	after, err := c.Do(t.Context(), http.MethodGet, "/api/v1/namespaces/kube-system", nil)
	if err != nil || field(before, "metadata", "uid") != field(after, "metadata", "uid") {
		t.Errorf("it is another cluster: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}
