package endtoend_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
)

const secretive = `
services:
  web:
    image: IMAGE
    environment: {APP_VERSION: "1", DB_URL: "postgres://app:${DB_PASSWORD}@db/shop", TOKEN: "${API_TOKEN}"}
    command: ["-version", "${API_TOKEN}"]
    labels: {token: "${API_TOKEN}"}
    configs: [{source: conf, target: /etc/conf}]
    secrets: [key]
    PROBE
configs:
  conf: {content: "password=${DB_PASSWORD}"}
secrets:
  key: {environment: API_TOKEN}
`

func TestSecretsAreNeverShownNorStoredInClear(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	file := filepath.Join(t.TempDir(), "secrets.env")
	plant := func(values string) { h.must(os.WriteFile(file, []byte(values), 0o600)) }
	h.secrets = []string{file}
	plant("DB_PASSWORD=planted-alpha-1\nAPI_TOKEN=planted-beta-1\n")
	h.deploy(secretive)
	h.want(h.sync(), reconcile.Applied)
	h.everythingSaid(t)

	plant("DB_PASSWORD=planted-alpha-2\nAPI_TOKEN=planted-beta-2\n")
	h.deploy(strings.Replace(secretive, `"1",`, `"2", APP_UNHEALTHY: "1",`, 1))
	a, closeAgent := h.agent()
	previews, err := a.Plan(t.Context(), reconcile.PlanRequest{Apps: []string{h.project}})
	h.must(err)
	h.clean("a plan with differences", h.printed(previews)+previews[0].Plan.String()+previews[0].Report.String())
	closeAgent()
	res := h.want(h.sync(), reconcile.RolledBack)
	if !strings.Contains(strings.Join(res.Notes, "\n"), "older form of") {
		t.Errorf("the rollback does not say that it brings back older secrets: %q", res.Notes)
	}
	h.everythingSaid(t)
	if got := env(h.one("web"), "TOKEN"); got != "planted-beta-1" {
		t.Errorf("the container has the token %q: this test has planted nothing", got)
	}
}

// everythingSaid looks for what was planted in all that people, programs and
// disks get to see.
func (h *host) everythingSaid(t *testing.T) {
	t.Helper()
	a, closeAgent := h.agent()
	ctx := t.Context()
	status, err := a.Status(ctx, nil)
	h.must(err)
	h.clean("status", h.printed(status))
	previews, err := a.Plan(ctx, reconcile.PlanRequest{})
	h.must(err)
	h.clean("plan", h.printed(previews)+previews[0].Plan.String())
	history, err := a.History(ctx, h.project, 100)
	h.must(err)
	h.clean("history", h.printed(history))
	explained, err := a.Explain(ctx, h.project)
	h.must(err)
	h.clean("explain", h.printed(explained))
	rendered, err := a.Rendered(ctx, h.project)
	h.must(err)
	h.clean("render", string(rendered))
	closeAgent()
	h.clean("an event", h.printed(h.since(0)))
	h.cleanDisk()
}

// clean fails the test if text holds something planted.
func (h *host) clean(what, text string) {
	h.t.Helper()
	if i := strings.Index(text, "planted-"); i >= 0 {
		h.t.Errorf("%s shows a secret: …%s…", what, text[max(0, i-120):min(len(text), i+40)])
	}
}

// cleanDisk looks into every file of the state directory. What containers mount
// has to be there in clear, for its owner only.
func (h *host) cleanDisk() {
	h.t.Helper()
	mounts := filepath.Join(h.state, "mounts")
	if in, err := os.Stat(mounts); err != nil || in.Mode().Perm()&0o066 != 0 {
		h.t.Errorf("others may list the mounts: %v", err)
	}
	h.must(filepath.WalkDir(h.state, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == mounts:
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(data, []byte("planted-")) {
			h.t.Errorf("%s holds a secret in clear", strings.TrimPrefix(path, h.state))
		}
		return nil
	}))
}
