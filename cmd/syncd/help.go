package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manual is the help of a verb as JSON: what a script or an editor asks for.
type manual struct {
	Name    string       `json:"name"`
	Usage   string       `json:"usage"`
	Short   string       `json:"short"`
	Long    string       `json:"long,omitempty"`
	Example string       `json:"example,omitempty"`
	Flags   []flagManual `json:"flags"`
	// Global are the flags that every verb has.
	Global []flagManual `json:"globalFlags,omitempty"`
	Verbs  []manual     `json:"verbs,omitempty"`
}

// flagManual is one flag.
type flagManual struct {
	Name      string `json:"name"`
	Shorthand string `json:"shorthand,omitempty"`
	// Value is what the flag takes; empty for one that takes nothing.
	Value   string `json:"value,omitempty"`
	Default string `json:"default,omitempty"`
	Usage   string `json:"usage"`
}

// helpVerb is "syncd help [VERB]", which --help is the same as.
func (c *cli) helpVerb(root *cobra.Command) *cobra.Command {
	text := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if c.flags.output != asJSON {
			text(cmd, args)
			return
		}
		if err := c.print(manualOf(cmd), nil); err != nil {
			fmt.Fprint(c.err, c.problem(err))
		}
	})
	return &cobra.Command{Use: "help [VERB]", Short: "Help about a verb", RunE: help(root)}
}

func help(root *cobra.Command) func(*cobra.Command, []string) error {
	return func(_ *cobra.Command, args []string) error {
		verb, rest, err := root.Find(args)
		if err != nil || len(rest) > 0 {
			return unknownVerb(root, args[0])
		}
		return verb.Help()
	}
}

// manualOf is the help of a command and, shorter, of those below it.
func manualOf(cmd *cobra.Command) manual {
	m := oneManual(cmd)
	m.Global = flagManuals(cmd.Root().PersistentFlags())
	for _, verb := range cmd.Commands() {
		if verb.IsAvailableCommand() {
			m.Verbs = append(m.Verbs, oneManual(verb))
		}
	}
	return m
}

func oneManual(cmd *cobra.Command) manual {
	return manual{
		Name: cmd.Name(), Usage: cmd.UseLine(), Short: cmd.Short, Long: cmd.Long, Example: cmd.Example,
		Flags: flagManuals(cmd.LocalNonPersistentFlags()),
	}
}

func flagManuals(set *pflag.FlagSet) []flagManual {
	out := []flagManual{}
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		one := flagManual{Name: f.Name, Shorthand: f.Shorthand, Value: value, Usage: usage}
		if f.DefValue != "false" && f.DefValue != "0s" {
			one.Default = f.DefValue
		}
		out = append(out, one)
	})
	return out
}
