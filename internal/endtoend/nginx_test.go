package endtoend_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"

	"syncd.io/syncd/internal/apply/docker/dockertest"
	"syncd.io/syncd/internal/reconcile"
)

// exampleImages builds the images of the examples under a name of their own: of
// versions 1, 2 and 3, which is never healthy.
func exampleImages(t *testing.T) string {
	t.Helper()
	api, name := dockertest.Client(t), dockertest.Name()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), dockertest.Limit)
		defer cancel()
		for _, tag := range []string{"1", "2", "3"} {
			_, err := api.ImageRemove(ctx, name+":"+tag, image.RemoveOptions{Force: true})
			if err != nil && !cerrdefs.IsNotFound(err) {
				t.Errorf("clean up: %v", err)
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), dockertest.Limit)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "../../hack/example-images.sh", name).CombinedOutput(); err != nil {
		t.Fatalf("build the examples' images: %v\n%s", err, out)
	}
	return name
}

// example is a file of the examples.
func example(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sent returns the version that answered.
func sent(client *http.Client, method, port string) (string, error) {
	req, err := http.NewRequest(method, fmt.Sprintf("http://%s/", port), nil)
	if err != nil {
		return "", err
	}
	if method == http.MethodPost {
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader("once")), 4
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile(`version (\S+)`).FindSubmatch(body)
	if res.StatusCode != http.StatusOK || found == nil {
		return "", fmt.Errorf("%s: %s", res.Status, body)
	}
	return string(found[1]), nil
}

// The example as it is shipped, with this distribution's nginx.
func TestNoRequestIsLostBehindNginx(t *testing.T) {
	nginx := dockertest.Packed(t, "nginx", map[string]string{"/var/lib/nginx/": "", "/var/log/nginx/": "", "/run/": ""}, `CMD ["-g", "daemon off;"]`)
	app := exampleImages(t)
	h := newHost(t)
	port := freePort(t)
	h.vars = map[string]string{"WEB_ADDRESS": port}
	compose := strings.NewReplacer("nginx:1.28", nginx, "syncd-example", app).Replace(example(t, "proxies/nginx/compose.yaml"))
	h.write("nginx.conf", example(t, "proxies/nginx/nginx.conf"))
	h.deploy(compose)
	h.want(h.sync(), reconcile.Applied)
	dockertest.Eventually(t, "nginx answers", func() bool {
		_, err := sent(http.DefaultClient, http.MethodGet, port)
		return err == nil
	})
	proxy := h.one("nginx").ID
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	l := loadedBy(t, 5*time.Millisecond, func(n int) (string, error) {
		return sent(client, []string{http.MethodGet, http.MethodPost}[n%2], port)
	})
	h.deploy(strings.ReplaceAll(compose, app+":1", app+":2"))
	h.want(h.sync(), reconcile.Applied)
	h.deploy(strings.ReplaceAll(compose, app+":1", app+":3"))
	h.want(h.sync(), reconcile.RolledBack)
	l.stop()
	t.Log(&l.sum)
	if len(l.sum.lost) > 0 {
		t.Errorf("%d requests lost, the first: %s", len(l.sum.lost), l.sum.lost[0])
	}
	if by := l.sum.served; l.sum.total < 1000 || by["1"] == 0 || by["2"] == 0 || by["3"] > 0 {
		t.Errorf("%s; want 1000 at least, served by 1 and 2 only", &l.sum)
	}
	if h.one("nginx").ID != proxy {
		t.Error("nginx was replaced")
	}
	h.want(h.sync(), reconcile.Held)
}
