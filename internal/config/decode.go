package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
)

// DecodeApp reads the bytes of an app's .syncd.yaml; file is its name in
// messages. An empty file is an app with every default. The error is rejected
// and lists every problem as "FILE:LINE: what", one per line.
func DecodeApp(file string, data []byte) (App, error) {
	var app App
	p := &problems{file: file}
	d := decodeInto(p, data, &app)
	for i, w := range app.Sync.Windows {
		d.checkWindow(w, nth("sync.windows", i))
	}
	for i, ignore := range app.Drift.Ignore {
		d.checkIgnore(ignore, nth("drift.ignore", i))
	}
	if err := p.err(); err != nil {
		return App{}, err
	}
	return app, nil
}

// DecodeHost reads the bytes of a host's syncd.yaml; file is its name in
// messages. Nothing is defaulted: see Host.Defaults. The error is rejected and
// lists every problem as "FILE:LINE: what", one per line.
func DecodeHost(file string, data []byte) (Host, error) {
	var host Host
	p := &problems{file: file}
	d := decodeInto(p, data, &host)
	if len(p.list) == 0 || d.lines["repo"] > 0 {
		d.checkRepo(host.Repo)
		d.checkTarget(host)
		d.checkWebhook(host.Webhook)
		d.checkNotify(host.Notify)
		d.checkFeedback(host)
		d.checkHeartbeat(host.Heartbeat)
		for i, w := range host.Sync.Windows {
			d.checkWindow(w.Window(), nth("sync.windows", i))
		}
		d.checkRegistries(host.Registries)
		d.checkPacks(host.Packs, host.Registries)
	}
	if err := p.err(); err != nil {
		return Host{}, err
	}
	return host, nil
}

// LoadHost reads and decodes the syncd.yaml at path. A file that is missing or
// unreadable is blocked.
func LoadHost(path string) (Host, error) {
	data, err := readBounded(path, maxFile+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Host{}, blocked("write it (docs/configuration.md has an example), or give --repo URL --state DIR instead", "read configuration: %w", err)
	case err != nil:
		return Host{}, blocked("let the user that syncd runs as read it", "read configuration: %w", err)
	}
	return DecodeHost(path, data)
}

// decodeInto fills the struct that target points at.
func decodeInto(p *problems, data []byte, target any) *decoder {
	v := reflect.ValueOf(target).Elem()
	d := &decoder{problems: p, lines: map[string]int{}, known: pathsOf(v.Type(), "")}
	if root := parse(p, data); root != nil {
		d.decode(root, v, place{})
	}
	return d
}

// checkTarget refuses two targets: an agent has one.
func (d *decoder) checkTarget(h Host) {
	if h.Docker != "" && h.Kubernetes != nil {
		d.add(d.lines["kubernetes"], "keep one of them: an agent keeps an engine or a cluster", "both docker and kubernetes are given")
	}
}

// readBounded reads at most limit bytes of a regular file.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: not a regular file", path)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}
