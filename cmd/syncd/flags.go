package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// defaultConfig is read where it exists and neither --config nor --repo is given.
const defaultConfig = "/etc/syncd/syncd.yaml"

// flags are the flags of every verb.
type flags struct {
	config, output, socket string
	// What stands in for a configuration file, or overrides it.
	repo, path, state, docker string
	branch, tag, commit       string
	kubeconfig, context       string
}

// The formats of -o.
const (
	asText     = "text"
	asJSON     = "json"
	asMarkdown = "markdown"
)

func (f *flags) register(root *cobra.Command) {
	p := root.PersistentFlags()
	p.StringVar(&f.config, "config", "", "configuration `file` (default "+defaultConfig+" where it exists)")
	p.StringVarP(&f.output, "output", "o", asText, "output `format`: text or json")
	p.StringVar(&f.socket, "socket", "", "the agent's Unix socket (default /run/syncd/syncd.sock; syncd.sock in the directory that --state names)")
	p.StringVar(&f.repo, "repo", "", "`URL` or directory of the Git repository to follow")
	p.StringVar(&f.path, "path", "", "`directory` in the repository that holds the apps")
	p.StringVar(&f.state, "state", "", "`directory` of the agent's record (default /var/lib/syncd)")
	p.StringVar(&f.branch, "branch", "", "`branch` to follow (default the repository's own)")
	p.StringVar(&f.tag, "tag", "", "`tag` to follow")
	p.StringVar(&f.commit, "commit", "", "`commit` to stay at, with all its digits")
	p.StringVar(&f.docker, "docker", "", "`address` of the Docker engine (default DOCKER_HOST, else the local socket)")
	p.StringVar(&f.kubeconfig, "kubeconfig", "", "`file` that names a Kubernetes cluster to keep instead of an engine")
	p.StringVar(&f.context, "context", "", "the kubeconfig's `context` to use (default its current one)")
	root.MarkFlagsMutuallyExclusive("branch", "tag", "commit")
	root.MarkFlagsMutuallyExclusive("docker", "kubeconfig")
	root.MarkFlagsMutuallyExclusive("docker", "context")
	for _, name := range []string{"output"} {
		_ = root.RegisterFlagCompletionFunc(name, cobra.FixedCompletions([]string{asText, asJSON, asMarkdown}, cobra.ShellCompDirectiveNoFileComp))
	}
}

// check refuses an output format that the verb does not have.
func (f *flags) check(cmd *cobra.Command) error {
	formats := []string{asText, asJSON}
	if cmd.Name() == "plan" {
		formats = append(formats, asMarkdown)
	}
	if slices.Contains(formats, f.output) {
		return nil
	}
	if f.output == asMarkdown {
		return hinted("use it with syncd plan", "-o markdown is for plans")
	}
	return hinted("use -o text or -o json", "-o %q is no output format", f.output)
}

// zeroConfig tells whether flags say what to follow.
func (f *flags) zeroConfig() bool {
	return f.repo+f.path+f.branch+f.tag+f.commit != ""
}
