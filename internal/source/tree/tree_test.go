package tree

import (
	"fmt"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"syncd.io/syncd/internal/fault"
)

func TestName(t *testing.T) {
	for _, bad := range []string{"", ".", "..", "a/b", `a\b`, "a\x00", ".git", ".Git", ".GIT", "git~1", "GIT~1", ".git.", ".git ", ".git. .", ".git::$INDEX_ALLOCATION", ".g\u200cit", "\ufeff.git"} {
		if Name(bad) == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	for _, good := range []string{"a", ".gitignore", ".github", "git", ".gitmodules", "git~2", "a:b", "...", " ", "größer", "\xff", "x.git", "--help"} {
		if err := Name(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func FuzzEscaped(f *testing.F) {
	for _, s := range []string{"a", "\xff\x1b[31m", "\u202e", "größer"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := Escaped(name)
		if !Plain(got) || !utf8.ValidString(got) {
			t.Errorf("Escaped(%q) = %q, which is not plain", name, got)
		}
		if Plain(name) != (got == name) {
			t.Errorf("Escaped(%q) = %q", name, got)
		}
	})
}

func TestLinks(t *testing.T) {
	links := Links{
		"good": "dir/file", "dot": ".", "up-and-back": "../", "dir/up": "..", "dir/out": "../..", "dir/same": "./file",
		"abs": "/etc", "via": "abs/passwd", "self": "self", "a": "b", "b": "a", "chain": "dir/up/dir/up/dir/file",
		"physical": "dir/deep/../../x", "dir/deep": "sub/sub", "escape": "dir/jump/../../../x", "dir/jump": "deep", "empty": "", "nul": "a\x00b",
	}
	judge := links.Judge()
	for p, want := range map[string]string{
		"good": "", "dot": "", "up-and-back": "leaves", "dir/up": "", "dir/out": "leaves", "dir/same": "", "abs": "absolute", "via": "absolute",
		"self": "more than 40", "a": "more than 40", "chain": "", "physical": "", "escape": "", "empty": "unusable", "nul": "unusable",
	} {
		got, err := judge.Refusal(p)
		if (want == "") != (got == "") || !strings.Contains(got, want) || err != nil {
			t.Errorf("%s -> %q: refused with %q, want %q, %v", p, links[p], got, want, err)
		}
	}
}

// Links that lead through one another cost as much as all links of a commit may, however
// many there are, and however far each leads: each of these takes many thousand steps.
func TestLinksCostABoundedEffort(t *testing.T) {
	const count = 500
	chained := func(target func(next string) string) Links {
		l := Links{"c38": "."}
		for i := range 38 {
			l[fmt.Sprintf("c%d", i)] = target(fmt.Sprintf("c%d", i+1))
		}
		for i := range count {
			l[fmt.Sprintf("x%d", i)] = target("c0")
		}
		return l
	}
	for name, l := range map[string]Links{
		"in and out":   chained(func(next string) string { return strings.Repeat("a/", 800) + strings.Repeat("../", 800) + next }),
		"many at once": chained(func(next string) string { return next + strings.Repeat("/a/..", 800) }),
		"far down":     chained(func(next string) string { return strings.Repeat("a/", 1000) + next }),
	} {
		judge := l.Judge()
		judged, err := 0, error(nil)
		for ; judged < count && err == nil; judged++ {
			_, err = judge.Refusal(fmt.Sprintf("x%d", judged))
		}
		if fault.Of(err) != fault.Rejected || fault.Advice(err) == "" || judged > 200 {
			t.Errorf("%s: %v, after %d links", name, err, judged)
		}
	}
	honest := Links{"current": "releases/v2", "releases/v2": "../store/v2"}
	for i := range 20000 {
		honest[fmt.Sprintf("apps/team-%d/service/config/shared-%d.yaml", i%10, i)] = "../../../../current/config/shared.yaml"
	}
	judge := honest.Judge()
	for p := range honest {
		if why, err := judge.Refusal(p); why != "" || err != nil {
			t.Fatalf("%s: %q, %v", p, why, err)
		}
	}
}

// FuzzLinks: a good link without others on its way stays inside lexically too.
func FuzzLinks(f *testing.F) {
	f.Add("a/b", "../c")
	f.Add("a", "../../etc")
	f.Add("a/b/c", "./..//../x/..")
	f.Fuzz(func(t *testing.T, p, target string) {
		if p == "" || path.Clean("/"+p) != "/"+p {
			return
		}
		if why, err := (Links{p: target}).Judge().Refusal(p); why != "" || err != nil || strings.Contains(target, path.Base(p)) {
			return
		}
		clean := path.Join(path.Dir(p), target)
		if path.IsAbs(target) || clean == ".." || strings.HasPrefix(clean, "../") {
			t.Errorf("%q -> %q was accepted and leads to %q", p, target, clean)
		}
	})
}

func TestBudget(t *testing.T) {
	b := Budget{Limits: Limits{Files: 2, Disk: 10, File: 5}}
	for _, err := range []error{b.Entry("a", false), b.Entry("b", false), b.Entry("c", true), b.Entry("d", true), b.Bytes(10)} {
		if err != nil {
			t.Error(err)
		}
	}
	for text, err := range map[string]error{"more than 2 files": b.Entry("e", false), "more than 2 directories": b.Entry("f", true), "files are larger than": b.Bytes(1)} {
		if err == nil || fault.Of(err) != fault.Rejected || !strings.Contains(err.Error(), text) || fault.Advice(err) == "" {
			t.Errorf("got %v (%v, hint %q), want %q", err, fault.Of(err), fault.Advice(err), text)
		}
	}
	if b.TooLong(5) != "" || b.TooLong(6) == "" {
		t.Error("a file of 5 bytes is as long as allowed, one of 6 is not")
	}
	deep := Budget{Limits: Limits{Files: 10}}
	if err := deep.Entry(strings.Repeat("d/", maxDepth-1)+"f", false); err != nil {
		t.Errorf("as deep as allowed: %v", err)
	}
	if err := deep.Entry(strings.Repeat("d/", maxDepth)+"f", false); fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
		t.Errorf("too deep: %v", err)
	}
	if err := deep.Entry(strings.Repeat("n", MaxPath+1), false); fault.Of(err) != fault.Rejected || fault.Advice(err) == "" {
		t.Errorf("too long: %v", err)
	}
}

func TestPointer(t *testing.T) {
	if !Pointer([]byte(pointer + "oid sha256:x\n")) {
		t.Error("a pointer was not known")
	}
	if Pointer([]byte("# "+pointer)) || Pointer([]byte(pointer+strings.Repeat("x", PointerSize))) {
		t.Error("a file that quotes a pointer was taken for one")
	}
}
