package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/pack"
)

const packHelp = `Makes one file of a revision, its history, and the images that its apps need, for
hosts that no network reaches: syncd unpack takes it there.

With --receipt, which the other side left, or with --since, it brings only what is
missing there. It is signed with an SSH key; whose signatures count is said there,
in packs.allowedSignersFile.

Apps are rendered as syncd validate does: all of them, or with --config those of
that host. Images come from their registries, from mirrors and archives, and, where
nobody else has them, from the engine here.`

// packFlags are what a pack is made of.
type packFlags struct {
	out, receipt       string
	since              []string
	key, passphrase    string
	unsigned, noImages bool
	platforms          []string
}

func (c *cli) packVerb() *cobra.Command {
	var f packFlags
	cmd := &cobra.Command{
		Use:     "pack -o FILE",
		Short:   "Make a file of revisions and images, for hosts without a network",
		Long:    packHelp,
		Example: "  syncd pack --repo https://git.example.org/deploy.git --state ~/.syncd --key ~/.ssh/deploy -o deploy" + pack.Suffix + "\n  syncd pack --config hosts/berlin-1.yaml --receipt berlin-1.json --key ~/.ssh/deploy -o berlin-1" + pack.Suffix,
		Args:    func(cmd *cobra.Command, args []string) error { return between(cmd, args, 0, 0) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.pack(cmd.Context(), f) },
	}
	// here, -o is a file, as everywhere else where something is made
	cmd.Flags().StringVarP(&f.out, "output", "o", "", "`file` to write")
	cmd.Flags().StringArrayVar(&f.since, "since", nil, "`revision` that the other side has (branch, tag or commit; may be repeated)")
	cmd.Flags().StringVar(&f.receipt, "receipt", "", "newest receipt (`file`) of the other side")
	cmd.Flags().StringVar(&f.key, "key", "", "SSH private key (`file`) to sign with")
	cmd.Flags().StringVar(&f.passphrase, "passphrase-file", "", "`file` that holds the key's passphrase")
	cmd.Flags().BoolVar(&f.unsigned, "unsigned", false, "leave the pack unsigned")
	cmd.Flags().BoolVar(&f.noImages, "no-images", false, "leave all images out")
	cmd.Flags().StringArrayVar(&f.platforms, "platform", nil, "`os/arch` that images are for (default this machine's; may be repeated)")
	return cmd
}

func (c *cli) pack(ctx context.Context, f packFlags) error {
	sign, err := f.signing()
	if err != nil {
		return err
	}
	s, err := c.settings()
	switch {
	case err != nil:
		return err
	case s.unread != nil:
		return s.unread
	case s.host.Repo.URL == "":
		return noRepository{}.err()
	case f.out == "":
		return hinted("syncd pack -o FILE"+pack.Suffix, "name the file to write")
	}
	out, err := filepath.Abs(f.out)
	if err != nil {
		return fmt.Errorf("find %s: %w", f.out, err)
	}
	p := &packing{host: s.host, fixed: c.flags.config != "", flags: f, tell: c.note, dir: filepath.Join(s.host.State, packingDir)}
	end, err := p.begin()
	if err != nil {
		return err
	}
	m, err := p.gather(ctx)
	if err == nil {
		m, err = pack.Write(ctx, out, m, p.members(), sign)
	}
	if err := errors.Join(err, end(err == nil)); err != nil {
		return err
	}
	return write(c.out, packedText(f.out, m, sign != nil))
}

// signing is how the pack is signed; nil is not at all, which somebody has to want.
func (f packFlags) signing() (pack.Sign, error) {
	switch {
	case f.key == "" && f.unsigned:
		return nil, nil //nolint:nilnil // unsigned
	case f.key == "":
		return nil, hinted("--key FILE names an SSH key; --unsigned makes a pack that is taken only where packs.allowUnsigned is true", "what shall the pack be signed with?")
	case f.unsigned:
		return nil, hinted("leave one of them out", "--key and --unsigned do not go together")
	}
	key, err := os.ReadFile(f.key)
	if err != nil {
		return nil, fault.As(fault.Blocked, fmt.Errorf("read --key: %w", err))
	}
	var passphrase []byte
	if f.passphrase != "" {
		if passphrase, err = os.ReadFile(f.passphrase); err != nil {
			return nil, fault.As(fault.Blocked, fmt.Errorf("read --passphrase-file: %w", err))
		}
	}
	sign, err := pack.SignWith(key, []byte(strings.TrimRight(string(passphrase), "\r\n")))
	if err != nil {
		return nil, fmt.Errorf("read --key %s: %w", f.key, err)
	}
	return sign, nil
}

func packedText(out string, m pack.Manifest, signed bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s holds revision %.10s", out, m.To)
	if len(m.Since) > 0 {
		fmt.Fprintf(&b, " since %.10s", strings.Join(m.Since, ", "))
	}
	packed := 0
	for _, member := range m.Members {
		if strings.HasPrefix(member.Name, pack.LayoutName+"/blobs/") {
			packed++
		}
	}
	needed := map[string]bool{}
	for _, image := range m.Images {
		for _, digest := range image.Blobs {
			needed[digest] = true
		}
	}
	fmt.Fprintf(&b, " and %s: %d of %s, %s\n", plural(len(m.Images), "image"), packed, plural(len(needed), "part"), sized(m.Size()))
	if !signed {
		b.WriteString("it is not signed: it is taken only where packs.allowUnsigned is true\n")
	}
	return b.String()
}

// sized is a number of bytes as people read it.
func sized(n int64) string {
	const unit = 1024
	for _, name := range []string{"bytes", "KiB", "MiB"} {
		if n < 10*unit {
			return fmt.Sprintf("%d %s", n, name)
		}
		n /= unit
	}
	return fmt.Sprintf("%d GiB", n)
}

// packingDir is where packs are made, below the state directory: nothing of the
// agent's.
const packingDir = "packing"

// begin makes the place for the work, for one at a time. What was gathered when the
// last try was cut short is used again.
func (p *packing) begin() (end func(done bool) error, err error) {
	if err := os.MkdirAll(p.members(), 0o700); err != nil {
		return nil, fmt.Errorf("make the directory that packs are made in: %w", err)
	}
	unlock, err := lockDir(p.dir)
	if err != nil {
		return nil, fault.Hint(fault.As(fault.Blocked, fmt.Errorf("another syncd pack is at work: %w", err)), "wait until it is done, or give another --state")
	}
	if err := os.Remove(p.bundle()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, unlock())
	}
	return func(done bool) error {
		if !done {
			return unlock()
		}
		return errors.Join(os.RemoveAll(p.work()), unlock())
	}, nil
}

func (p *packing) work() string    { return filepath.Join(p.dir, "work") }
func (p *packing) members() string { return filepath.Join(p.work(), "members") }
func (p *packing) bundle() string  { return filepath.Join(p.members(), pack.BundleName) }
func (p *packing) layout() string  { return filepath.Join(p.members(), pack.LayoutName) }

// platformsFor are those that images are packed for: the named ones, else the
// engine's; all, where a registry takes them, for it wants an index with all that is in
// it.
func platformsFor(platforms []string, engine string, host config.Host) []string {
	switch {
	case len(platforms) > 0:
		return platforms
	case host.Kubernetes != nil || host.Packs.Registry != "":
		return nil
	}
	return []string{cmp.Or(engine, thisBuild().Platform)}
}
