package docker

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// tree makes a directory of files, links (-> in front of the target), and pipes.
func tree(t *testing.T, entries map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range entries {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		switch {
		case err != nil:
		case content == "pipe":
			err = syscall.Mkfifo(path, 0o600)
		case len(content) > 2 && content[:2] == "->":
			err = os.Symlink(content[2:], path)
		default:
			err = os.WriteFile(path, []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSameTree(t *testing.T) {
	loops := map[string]string{"a": "->.", "b": "->.", "c": "->.", "d/e": "->..", "conf": "x"}
	for name, c := range map[string]struct {
		a, b map[string]string
		want bool
	}{
		"equal":           {map[string]string{"a": "1", "b/c": "2"}, map[string]string{"a": "1", "b/c": "2"}, true},
		"another byte":    {map[string]string{"a": "1"}, map[string]string{"a": "2"}, false},
		"another name":    {map[string]string{"a": "1"}, map[string]string{"b": "1"}, false},
		"one more":        {map[string]string{"a": "1"}, map[string]string{"a": "1", "b": "1"}, false},
		"links in circle": {loops, loops, true},
		"another link":    {map[string]string{"a": "->b", "b": "1"}, map[string]string{"a": "->./b", "b": "1"}, false},
		"link for a file": {map[string]string{"a": "1", "b": "1"}, map[string]string{"a": "->b", "b": "1"}, false},
		"pipes":           {map[string]string{"a": "pipe"}, map[string]string{"a": "pipe"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := tree(t, c.a), tree(t, c.b)
			same := make(chan bool, 1)
			go func() { same <- sameTree(a, b) }()
			select {
			case got := <-same:
				if got != c.want {
					t.Errorf("the same: %t, want %t", got, c.want)
				}
			case <-time.After(2 * time.Minute):
				t.Fatal("it never ends")
			}
		})
	}
	linked := filepath.Join(tree(t, map[string]string{"real/a": "1", "link": "->real"}), "link")
	if !sameTree(tree(t, map[string]string{"a": "1"}), linked) {
		t.Error("a directory that is bound through a link is not the same")
	}
}
