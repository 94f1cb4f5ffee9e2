package remote

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"syncd.io/syncd/internal/fault"
)

const some = "0123456789012345678901234567890123456789"

func TestWhatIsLookedForIsSaidInWords(t *testing.T) {
	for want, w := range map[string]Want{
		"HEAD":                  {},
		"commit " + some:        {Commit: some},
		"branch main":           {Refs: []string{"refs/heads/main"}},
		"tag v1":                {Refs: []string{"refs/tags/v1"}},
		"branch or tag v1":      {Refs: []string{"refs/heads/v1", "refs/tags/v1"}},
		"ref refs/pull/12/head": {Refs: []string{"refs/pull/12/head"}},
	} {
		if got := w.String(); got != want {
			t.Errorf("%+v is %q, want %q", w, got, want)
		}
	}
}

func TestPick(t *testing.T) {
	head, tip, tag, peeled := plumbing.NewHash(strings.Repeat("a", 40)), strings.Repeat("b", 40), strings.Repeat("c", 40), strings.Repeat("d", 40)
	refs := packp.NewAdvRefs()
	refs.Head = &head
	refs.References = map[string]plumbing.Hash{
		"refs/heads/main": head, "refs/heads/v1": plumbing.NewHash(tip), "refs/tags/v1": plumbing.NewHash(tag), "refs/tags/v2": plumbing.NewHash(tag),
	}
	refs.Peeled = map[string]plumbing.Hash{"refs/tags/v1": plumbing.NewHash(peeled), "refs/tags/v2": plumbing.NewHash(peeled)}
	pick := func(w Want) Found {
		t.Helper()
		found, err := Pick(refs, w)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	for name, c := range map[string]struct {
		want Want
		is   Found
	}{
		"HEAD":                      {Want{}, Found{head.String(), "HEAD"}},
		"a commit, unasked":         {Want{Commit: some}, Found{some, ""}},
		"a tag, peeled":             {Want{Refs: []string{"refs/tags/v1"}}, Found{peeled, "refs/tags/v1"}},
		"the branch before the tag": {Want{Refs: []string{"refs/heads/v1", "refs/tags/v1"}}, Found{tip, "refs/heads/v1"}},
		"the tag, with no branch":   {Want{Refs: []string{"refs/heads/v2", "refs/tags/v2"}}, Found{peeled, "refs/tags/v2"}},
	} {
		if got := pick(c.want); got != c.is {
			t.Errorf("%s: %+v, want %+v", name, got, c.is)
		}
	}
	for target, ref := range map[string]string{"HEAD:refs/heads/main": "refs/heads/main", "HEAD:refs/heads/\x1b[31m": "HEAD", "HEAD:/etc/passwd": "HEAD", "refs/x:refs/heads/y": "HEAD"} {
		refs.Capabilities = capability.NewList()
		if err := refs.Capabilities.Add(capability.SymRef, target); err != nil {
			t.Fatal(err)
		}
		if got := pick(Want{}); got != (Found{head.String(), ref}) {
			t.Errorf("a HEAD that is said to be %q is %+v, want %s", target, got, ref)
		}
	}
	refs.Head = nil
	if _, err := Pick(refs, Want{}); fault.Of(err) != fault.Rejected || !strings.Contains(fault.Advice(err), "main") {
		t.Errorf("without a HEAD: %v, hint %q", err, fault.Advice(err))
	}
	if err := refs.Capabilities.Set("object-format", "sha256"); err != nil {
		t.Fatal(err)
	}
	if _, err := Pick(refs, Want{Commit: some}); fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("another kind of object names: %v", err)
	}
}

// FuzzLocalRef: whatever the files of a repository hold, reading a ref ends, and
// what is found is a commit under a name that can be shown.
func FuzzLocalRef(f *testing.F) {
	f.Add("ref: refs/heads/main\n", some+"\n", "# pack-refs with: peeled fully-peeled sorted\n"+some+" refs/heads/next\n", "main")
	f.Add("ref: refs/heads/a", "ref: refs/heads/main", "^"+some+"\n", "refs/heads/main")
	f.Add("ref: ../../etc/passwd", "", some+" refs/heads/main", "")
	f.Add("ref: refs/heads/\x1b[31m\n", "", some+" refs/heads/\x1b[31m\n", "HEAD")
	f.Add("ref: refs/heads/main\n", some+"\n", "one two three\n", "next")
	f.Add(some, "ref: refs/tags/x", some+" refs/tags/x\n^"+some, "x")
	f.Fuzz(func(t *testing.T, head, branch, packed, name string) {
		w, err := FromName(name)
		if err != nil {
			return
		}
		dir := t.TempDir()
		for file, content := range map[string]string{"HEAD": head, "refs/heads/main": branch, "packed-refs": packed, "config": "[core]\n\tbare = true\n", "objects/info/x": ""} {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		found, err := LocalRef(dir, w)
		switch {
		case err != nil && fault.Of(err) != fault.Rejected && fault.Of(err) != fault.Unreachable:
			t.Errorf("the error has no class: %v", err)
		case err != nil:
		case !ValidCommit(found.Commit):
			t.Errorf("%+v is no commit", found)
		case found.Ref != "" && found.Ref != "HEAD" && refName(found.Ref) != nil:
			t.Errorf("%q is no name", found.Ref)
		}
	})
}
