package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/nearest"
)

// hinted is an error of a command line that a person has to mend.
func hinted(hint, format string, args ...any) error {
	return fault.Hint(fault.As(fault.Rejected, fmt.Errorf(format, args...)), hint)
}

func unknownVerb(root *cobra.Command, word string) error {
	var verbs []string
	for _, v := range root.Commands() {
		if v.IsAvailableCommand() {
			verbs = append(verbs, v.Name())
		}
	}
	return hinted(orElse(didYouMean(word, verbs), "syncd --help lists them"), "there is no verb %q", word)
}

// flagError names the nearest flag where one is unknown, else how it is used.
func flagError(cmd *cobra.Command, err error) error {
	hint := fmt.Sprintf("%s --help lists the flags", cmd.CommandPath())
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if near := didYouMean("--"+unknown.GetSpecifiedName(), flagNames(cmd)); near != "" {
			hint = near
		}
	}
	return fault.Hint(fault.As(fault.Rejected, fmt.Errorf("%s: %w", cmd.CommandPath(), err)), hint)
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	collect := func(f *pflag.Flag) { names = append(names, "--"+f.Name) }
	cmd.Flags().VisitAll(collect)
	cmd.InheritedFlags().VisitAll(collect)
	return names
}

// unknownApp is the error of an app that nobody knows.
func unknownApp(app string, known []string) error {
	hint := "no app is known here yet; syncd sync looks for them"
	if len(known) > 0 {
		hint = orElse(didYouMean(app, known), "known apps: "+strings.Join(known, ", "))
	}
	return hinted(hint, "there is no app %q", app)
}

// didYouMean names the known word that was probably meant; empty where none is
// near.
func didYouMean(word string, known []string) string {
	near := nearest.Word(word, slices.Sorted(slices.Values(known)))
	if near == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %s?", near)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
