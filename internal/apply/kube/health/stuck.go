package health

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Stuck returns the names of the pods that keep a StatefulSet from its newest
// revision: older ones that are not ready. Its controller waits for them before it
// replaces any (podManagementPolicy OrderedReady), so that a broken revision
// blocks its own fix until somebody deletes them; it makes them anew, of the
// newest revision, and their volumes stay. None for every other kind.
func Stuck(object *unstructured.Unstructured, parts []unstructured.Unstructured) []string {
	if object == nil {
		return nil
	}
	return look(object, parts, time.Time{}).stuck()
}

func (s *subject) stuck() []string {
	tree := s.object.Object
	if s.kind != kindStatefulSet || !s.observed() || s.onDelete() || text(tree, "spec", "podManagementPolicy") == "Parallel" {
		return nil
	}
	first := number(tree, 0, "spec", "updateStrategy", "rollingUpdate", "partition")
	var names []string
	for i := range s.old {
		pod := &s.old[i]
		if pod.DeletionTimestamp == nil && !ready(pod) && ordinal(pod.Name) >= first {
			names = append(names, pod.Name)
		}
	}
	return names
}

// held says that an older revision's pods hold up the newest.
func (s *subject) held() string {
	names := s.stuck()
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("pod %s of an older revision is not ready and holds up the update until it is deleted", strings.Join(names, ", "))
}

// ordinal is the number at the end of a StatefulSet's pod's name.
func ordinal(name string) int64 {
	n, err := strconv.ParseInt(name[strings.LastIndex(name, "-")+1:], 10, 64)
	if err != nil {
		return 0
	}
	return n
}
