package kube

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

var _ apply.Evidence = (*Target)(nil)

// The bounds of what is read of a container's line of output and of what is shown of it,
// in bytes: a secret that is cut is not found, so more is read than is shown. And how
// often and how soon it is asked for again where there is none: a kubelet may be behind a
// container that has just ended.
const (
	longestRead = 64 << 10
	longestLine = 4 << 10
	silentTries = 5
	silentPause = 200 * time.Millisecond
)

// Logs returns the last lines of the container that is to blame for how the object
// feels; none where no container is. One that is between two starts has them from
// its last run.
func (t *Target) Logs(ctx context.Context, key resource.Key, ref resource.Ref, lines int) ([]string, error) {
	known, ok := t.ledger.get(key)
	if !ok || known.Settled {
		return nil, nil
	}
	id, err := t.identity()
	if err != nil {
		return nil, err
	}
	guilty, ok, err := t.blame(ctx, id, known, ref)
	if err != nil || !ok {
		return nil, t.hidden(err)
	}
	text, err := id.output(ctx, known.Namespace, guilty, lines)
	return linesOf(t.hide(text), lines), t.hidden(err)
}

// blame finds the container whose output is wanted; false where there is none.
func (t *Target) blame(ctx context.Context, id *identity, known entry, ref resource.Ref) (guilty health.Culprit, ok bool, err error) {
	k, err := t.engine.kinds.find(ctx, schema.FromAPIVersionAndKind(known.APIVersion, known.Kind))
	if err != nil {
		return guilty, false, err
	}
	now, err := t.engine.lookout(id, k, known.Namespace, known.Name).show(ctx, known)
	if err != nil || now.object == nil || string(now.object.GetUID()) != ref.ID {
		return guilty, false, err
	}
	if guilty, ok = health.Blame(now.object, now.parts, time.Now()); ok {
		return guilty, true, nil
	}
	pods, err := t.podsOf(ctx, id, now.object)
	if err != nil {
		return guilty, false, err
	}
	guilty, ok = health.Blame(now.object, pods, time.Now())
	return guilty, ok, nil
}

// podsOf asks for the pods of an object that has no others than those it selects: a
// watch that was begun anew may not have shown them yet.
func (t *Target) podsOf(ctx context.Context, id *identity, object *unstructured.Unstructured) (pods []unstructured.Unstructured, err error) {
	of := health.Parts(object)
	if len(of) != 1 {
		return nil, nil
	}
	err = t.engine.bounded(ctx, func(ctx context.Context) error {
		list, err := id.dynamic.Resource(of[0].Resource).Namespace(object.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: of[0].Selector})
		if err == nil {
			pods = list.Items
		}
		return err
	})
	return pods, classified(err, "list the pods of "+object.GetName())
}

// output returns what a container printed last. One that says nothing is asked again,
// a few times.
func (id *identity) output(ctx context.Context, namespace string, of health.Culprit, lines int) (text string, err error) {
	for range silentTries {
		text, err = id.podLog(ctx, namespace, of, lines)
		if err != nil || text != "" || pauseFor(ctx, silentPause) != nil {
			break
		}
	}
	return text, err
}

func (id *identity) podLog(ctx context.Context, namespace string, of health.Culprit, lines int) (string, error) {
	doing := fmt.Sprintf("read the log of pod %s, container %s", of.Pod, of.Container)
	stream, err := id.core.Get().Namespace(namespace).Resource("pods").Name(of.Pod).SubResource("log").
		Param("container", of.Container).Param("tailLines", strconv.Itoa(lines)).Param("previous", strconv.FormatBool(of.Previous)).Stream(ctx)
	if err != nil {
		return "", classified(err, doing)
	}
	defer stream.Close()
	text, err := readLines(stream)
	return text, classified(err, doing)
}

// readLines reads the beginning of each line, so that long ones take no memory.
func readLines(stream io.Reader) (string, error) {
	var out []string
	in := bufio.NewReaderSize(stream, longestRead)
	for {
		line, long, err := in.ReadLine()
		if err == io.EOF {
			return strings.Join(out, "\n"), nil
		}
		if err != nil {
			return strings.Join(out, "\n"), err
		}
		out = append(out, string(line))
		for ; long && err == nil; _, long, err = in.ReadLine() {
		}
	}
}

// linesOf splits what was printed, and makes it fit to be shown.
func linesOf(text string, most int) []string {
	text = strings.TrimRight(text, "\r\n")
	if text == "" {
		return nil
	}
	all := strings.Split(text, "\n")
	all = all[max(0, len(all)-most):]
	for i, line := range all {
		all[i] = resource.Harmless(line, longestLine)
	}
	return all
}
