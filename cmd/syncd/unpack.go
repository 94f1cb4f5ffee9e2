package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/pack"
	"syncd.io/syncd/internal/resource"
)

const unpackHelp = `Takes packs that syncd pack made where there is a network: checks each whole, its
signature first, then keeps its images and loads them into the engine (for a
cluster: pushes them into packs.registry), and puts its revisions where the agent
finds them, which follows bundle://STATE/packs/bundles. Nothing of a pack is used
before all of it was checked.

A receipt is left below the state directory, and where --receipt-to says: the next
pack that is made with it brings only what is missing here.

Taking a pack again changes nothing; one that is older than what is there is left
alone. An agent with packs.dir does all this by itself.`

type unpackFlags struct {
	receipt, signers string
	unsigned         bool
}

func (c *cli) unpackVerb() *cobra.Command {
	var f unpackFlags
	cmd := &cobra.Command{
		Use:     "unpack FILE...",
		Short:   "Take packs that a courier brought",
		Long:    unpackHelp,
		Example: "  syncd unpack /media/stick/3f2a9c01d4.syncdpack --receipt-to /media/stick/berlin-1.json",
		Args:    func(cmd *cobra.Command, args []string) error { return between(cmd, args, 1, 1000) },
		RunE:    func(cmd *cobra.Command, files []string) error { return c.unpack(cmd.Context(), f, files) },
	}
	cmd.Flags().StringVar(&f.receipt, "receipt-to", "", "`file` that the receipt is written to, too")
	cmd.Flags().StringVar(&f.signers, "allowed-signers", "", "`file` that lists who may sign (default packs.allowedSignersFile)")
	cmd.Flags().BoolVar(&f.unsigned, "allow-unsigned", false, "take packs that nobody signed, too")
	return cmd
}

// unpacked is what became of one pack.
type unpacked struct {
	File string `json:"file"`
	pack.Taken
}

func (c *cli) unpack(ctx context.Context, f unpackFlags, files []string) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	if s.unread != nil {
		return s.unread
	}
	if err := f.over(&s.host.Packs); err != nil {
		return err
	}
	inbox := inboxOf(s.host)
	var all []unpacked
	for _, file := range files {
		taken, err := inbox.Take(ctx, file)
		if err != nil {
			return err
		}
		all = append(all, unpacked{file, taken})
		if f.receipt != "" {
			if err := taken.Receipt.Save(f.receipt); err != nil {
				return err
			}
		}
	}
	return c.print(all, func() string { return unpackedText(all, pack.BundlesDir(inbox.Dir)) })
}

// over puts the flags over the settings.
func (f unpackFlags) over(p *config.Packs) error {
	if f.signers != "" {
		path, err := filepath.Abs(f.signers)
		if err != nil {
			return fmt.Errorf("find --allowed-signers: %w", err)
		}
		p.AllowedSignersFile = path
	}
	p.AllowUnsigned = p.AllowUnsigned || f.unsigned
	return nil
}

func unpackedText(all []unpacked, bundles string) string {
	var b strings.Builder
	for _, u := range all {
		r, file := u.Receipt, resource.Harmless(u.File, 4096)
		switch u.Outcome {
		case pack.Known:
			fmt.Fprintf(&b, "%s had been unpacked before: revision %.10s\n", file, r.Commit)
		case pack.Stale:
			fmt.Fprintf(&b, "%s is older than what is here (revision %.10s), and was left alone: %s\n", file, r.Commit, u.Why)
		default:
			fmt.Fprintf(&b, "%s brought revision %.10s and %s%s\n", file, r.Commit, plural(u.Images, "image"), signedText(r.Signer))
		}
	}
	fmt.Fprintf(&b, "revisions are in %s\n", bundles)
	return b.String()
}

func signedText(signer string) string {
	if signer == "" {
		return ", unsigned"
	}
	return ", signed by " + signer
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
