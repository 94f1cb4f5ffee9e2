package pull

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxUnpacked  = 100 << 20 // bytes of an archive that are looked through
	maxChartYAML = 1 << 20   // bytes of one Chart.yaml
)

// described is what the archive's own Chart.yaml says that it is.
func described(archive []byte) (name, version string, err error) {
	text, err := chartYAML(archive)
	if err != nil {
		return "", "", fmt.Errorf("unpack the chart: %w", err)
	}
	var c struct {
		Name    string `yaml:"name"`
		Version string `yaml:"version"`
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		return "", "", fmt.Errorf("read Chart.yaml of the chart: %w", err)
	}
	return c.Name, c.Version, nil
}

// chartYAML finds Chart.yaml in the archive's one directory.
func chartYAML(archive []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	pack := tar.NewReader(io.LimitReader(zip, maxUnpacked))
	for {
		entry, err := pack.Next()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it has no Chart.yaml")
		}
		if err != nil {
			return nil, err
		}
		dir, file, _ := strings.Cut(strings.TrimPrefix(entry.Name, "./"), "/")
		if dir != "" && file == "Chart.yaml" {
			return io.ReadAll(io.LimitReader(pack, maxChartYAML))
		}
	}
}
