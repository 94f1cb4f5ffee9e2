package gatebench_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// resident is the resident set of the container's first process, in KiB.
func (a *actor) resident() float64 {
	a.stage.b.Helper()
	return a.read("status", "VmRSS:")
}

// room is how many connections the container's descriptors do for, two each.
func (a *actor) room() int {
	a.stage.b.Helper()
	return int(a.read("limits", "Max open files")-100) / 2
}

// read returns the number after a title in a file that Linux has about the
// container's first process.
func (a *actor) read(file, title string) float64 {
	b := a.stage.b
	b.Helper()
	for line := range strings.Lines(string(content(b, fmt.Sprintf("/proc/%d/%s", a.pid, file)))) {
		if rest, ok := strings.CutPrefix(line, title); ok {
			return must1(strconv.ParseFloat(strings.Fields(rest)[0], 64))(b)
		}
	}
	b.Fatalf("no %q in %s", title, file)
	return 0
}

// cpu is the processor time that the container's processes have had: the first
// one and its children, as nginx has them.
func (a *actor) cpu() time.Duration {
	b := a.stage.b
	b.Helper()
	lists := must1(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", a.pid)))(b)
	pids := []string{strconv.Itoa(a.pid)}
	for _, list := range lists {
		pids = append(pids, strings.Fields(string(content(b, list)))...)
	}
	const hertz = 100 // USER_HZ
	var ticks int64
	for _, pid := range pids {
		_, rest, _ := strings.Cut(string(content(b, "/proc/"+pid+"/stat")), ") ")
		for _, field := range strings.Fields(rest)[11:13] { // utime, stime
			ticks += must1(strconv.ParseInt(field, 10, 64))(b)
		}
	}
	return time.Duration(ticks * int64(time.Second) / hertz)
}

// content is a file's.
func content(b *testing.B, path string) []byte {
	b.Helper()
	raw, err := os.ReadFile(path)
	must(b, err)
	return raw
}
