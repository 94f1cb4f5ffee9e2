package fetch

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/bound"
	"syncd.io/syncd/internal/source/remote"
)

func hashOf(digit string) plumbing.Hash { return plumbing.NewHash(strings.Repeat(digit, 40)) }

// advertised are a server's refs: main, and an annotated tag with what it names.
func advertised(t *testing.T, able ...capability.Capability) *packp.AdvRefs {
	t.Helper()
	refs := packp.NewAdvRefs()
	for _, c := range able {
		if err := refs.Capabilities.Set(c); err != nil {
			t.Fatal(err)
		}
	}
	head := hashOf("a")
	refs.Head = &head
	refs.References = map[string]plumbing.Hash{"refs/heads/main": head, "refs/heads/next": hashOf("b"), "refs/tags/v1": hashOf("c")}
	refs.Peeled = map[string]plumbing.Hash{"refs/tags/v1": hashOf("d")}
	return refs
}

// A server lets itself be asked for what it advertises, and for nothing else.
func TestTipOf(t *testing.T) {
	refs := advertised(t)
	for want, tip := range map[string]string{"a": "a", "b": "b", "c": "c", "d": "c"} {
		if got, ok := tipOf(refs, hashOf(want)); !ok || got != hashOf(tip) {
			t.Errorf("for %s it is asked for %.1s (%t), want %s", want, got, ok, tip)
		}
	}
	if got, ok := tipOf(refs, hashOf("e")); ok || got != hashOf("e") {
		t.Errorf("a commit that is no tip: %s, %t", got, ok)
	}
	refs.Head = nil
	if _, ok := tipOf(refs, hashOf("a")); !ok {
		t.Error("a branch's tip is none without a HEAD")
	}
}

func TestTipsForAWholeClone(t *testing.T) {
	refs := advertised(t)
	for name, c := range map[string]struct {
		want remote.Want
		tips string
	}{
		"HEAD":       {remote.Want{}, "a"},
		"a branch":   {remote.Want{Refs: []string{"refs/heads/next"}}, "b"},
		"a tag":      {remote.Want{Refs: []string{"refs/tags/v1"}}, "c"},
		"either":     {remote.Want{Refs: []string{"refs/heads/v1", "refs/tags/v1"}}, "c"},
		"any commit": {remote.Want{Commit: strings.Repeat("e", 40)}, "abc"},
	} {
		tips, err := tipsFor(refs, c.want)
		var got []string
		for _, tip := range tips {
			got = append(got, tip.String()[:1])
		}
		if slices.Sort(got); err != nil || strings.Join(got, "") != c.tips {
			t.Errorf("%s: asked for %v (%v), want %s", name, got, err, c.tips)
		}
	}
	if _, err := tipsFor(refs, remote.Want{Refs: []string{"refs/heads/gone"}}); fault.Of(err) != fault.Rejected {
		t.Errorf("a branch that is gone: %v", err)
	}
	if _, err := tipsFor(packp.NewAdvRefs(), remote.Want{Commit: strings.Repeat("e", 40)}); fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "no commits") {
		t.Errorf("an empty repository: %v", err)
	}
}

// Only a server that says so is asked for a commit that is no tip, and only one
// that can leave history out.
func TestServersThatGiveOutAnyCommit(t *testing.T) {
	for name, c := range map[string]struct {
		able []capability.Capability
		want bool
	}{
		"neither":        {nil, false},
		"shallow":        {[]capability.Capability{capability.Shallow}, false},
		"reachable":      {[]capability.Capability{capability.AllowReachableSHA1InWant}, false},
		"both":           {[]capability.Capability{capability.Shallow, capability.AllowReachableSHA1InWant}, true},
		"any, as GitHub": {[]capability.Capability{capability.Shallow, "allow-any-sha1-in-want"}, true},
	} {
		if got := exact(advertised(t, c.able...)); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}

func TestAPackThatIsTooLargeEnds(t *testing.T) {
	for size, fits := range map[int]bool{0: true, 99: true, 100: true, 101: false, 100_000: false} {
		b := &bound.Reader{R: bytes.NewReader(make([]byte, size)), Left: 100, Err: errLarge()}
		n, err := io.Copy(io.Discard, b)
		if (err == nil) != fits || n > 100 {
			t.Errorf("%d bytes of at most 100: %d read, %v", size, n, err)
		}
		if !fits && (fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), "limits.fetchDisk")) {
			t.Errorf("%d bytes: %v (%v), hint %q", size, err, fault.Of(err), fault.Advice(err))
		}
	}
}

// The disk's trouble is nobody's commit's fault; what has a class keeps it.
func TestFullDiskBlamesNoCommit(t *testing.T) {
	disk := &fs.PathError{Op: "write", Path: "/x", Err: errors.New("no space left on device")}
	if err := full(disk); fault.Of(err) != fault.Unreachable || !strings.Contains(fault.Advice(err), "df -h") {
		t.Errorf("%v (%v), hint %q", err, fault.Of(err), fault.Advice(err))
	}
	rejected := fault.As(fault.Rejected, disk)
	for _, err := range []error{nil, rejected, io.EOF} {
		if got := full(err); !errors.Is(got, err) || fault.Of(got) != fault.Of(err) {
			t.Errorf("%v became %v (%v)", err, got, fault.Of(got))
		}
	}
}
