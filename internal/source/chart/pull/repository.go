package pull

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/chart"
)

// maxNamed bounds how many versions a message names.
const maxNamed = 5

// release is one version of a chart in an index.
type release struct {
	Version string   `yaml:"version" json:"version"`
	URLs    []string `yaml:"urls" json:"urls"`
	Digest  string   `yaml:"digest" json:"digest"`
}

// fromRepository asks a chart repository's index where the archive is.
func (c client) fromRepository(ctx context.Context, req chart.Request) (fetched, error) {
	base, err := url.Parse(strings.TrimSuffix(req.Repo, "/") + "/")
	if err != nil || base.Host == "" {
		return fetched{}, rejected("%.200q is not an address", req.Repo)
	}
	text, err := c.read(ctx, base.JoinPath("index.yaml"), maxIndex)
	if err != nil {
		return fetched{}, fmt.Errorf("read the repository's index: %w", err)
	}
	found, err := pick(text, req)
	if err != nil {
		return fetched{}, err
	}
	at, err := base.Parse(found.URLs[0])
	if err != nil {
		return fetched{}, rejected("the repository's index gives no address for it: %.200q", found.URLs[0])
	}
	archive, err := c.read(ctx, at, chart.MaxArchive)
	if err != nil {
		return fetched{}, fmt.Errorf("read the archive: %w", err)
	}
	got := fetched{archive: archive}
	if listed := "sha256:" + strings.TrimPrefix(found.Digest, "sha256:"); found.Digest != "" && listed != got.digest() && req.Digest != got.digest() {
		return fetched{}, fault.Hint(rejected("the repository's index says that it has digest %.80s, and what is there has %s", listed, got.digest()), "the repository is being changed, or somebody has: ask who keeps it")
	}
	return got, nil
}

// pick finds the version in an index.
func pick(text []byte, req chart.Request) (release, error) {
	var index struct {
		Entries map[string][]release `yaml:"entries" json:"entries"`
	}
	decode := yaml.Unmarshal
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		decode = json.Unmarshal // the same, and much faster
	}
	if err := decode(text, &index); err != nil {
		return release{}, rejected("the repository's index cannot be read: %.300s", err.Error())
	}
	releases := index.Entries[req.Name]
	if len(releases) == 0 {
		return release{}, fault.Hint(rejected("the repository has no chart of that name"), "check kubernetes.helm.chart.name")
	}
	for _, r := range releases {
		if bare(r.Version) == bare(req.Version) && len(r.URLs) > 0 {
			return r, nil
		}
	}
	return release{}, fault.Hint(rejected("the repository has no such version of it"), "it has "+listed(releases))
}

// listed names the first versions of an index, which are the newest.
func listed(releases []release) string {
	var names []string
	for _, r := range releases[:min(len(releases), maxNamed)] {
		names = append(names, r.Version)
	}
	if len(releases) > maxNamed {
		names = append(names, fmt.Sprintf("and %d others", len(releases)-maxNamed))
	}
	return strings.Join(slices.Clip(names), ", ")
}

// read returns what is at an address, of at most limit bytes.
func (c client) read(ctx context.Context, at *url.URL, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, rejected("%.200q is not an address", at.Redacted())
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, refused{res.StatusCode, at.Host}
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, rejected("%s sends more than %d MiB", at.Host, limit>>20)
	}
	return data, err
}
