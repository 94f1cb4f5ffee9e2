package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker, which can set a variable only:
// -X main.version=v1.2.3. Nothing changes it afterwards.
var version string

// build says what this program was made from.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = s.Value
		}
	}
	b.Version = orElse(b.Version, info.Main.Version)
	return b
}

func (c *cli) versionVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which syncd this is",
		Args:  func(cmd *cobra.Command, args []string) error { return between(cmd, args, 0, 0) },
		RunE: func(*cobra.Command, []string) error {
			b := thisBuild()
			return c.print(b, func() string {
				commit := ""
				if b.Commit != "" {
					commit = fmt.Sprintf("%.10s, ", b.Commit)
				}
				return fmt.Sprintf("syncd %s (%s%s, %s)\n", orElse(b.Version, "(unknown)"), commit, b.Go, b.Platform)
			})
		},
	}
}
