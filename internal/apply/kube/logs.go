package kube

import (
	"bufio"
	"context"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/apply/kube/health"
	"syncd.io/syncd/internal/resource"
)

var _ apply.Evidence = (*Target)(nil)

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
	k, err := t.engine.kinds.find(ctx, schema.FromAPIVersionAndKind(known.APIVersion, known.Kind))
	if err != nil {
		return nil, err
	}
	now, err := t.engine.lookout(id, k, known.Namespace, known.Name).show(ctx, known)
	if err != nil || now.object == nil || string(now.object.GetUID()) != ref.ID {
		return nil, err
	}
	guilty, ok := health.Blame(now.object, now.parts, time.Now())
	if !ok {
		return nil, nil
	}
	out, err := id.podLog(ctx, known.Namespace, guilty, lines)
	for i := range out {
		out[i] = t.hide(out[i])
	}
	return out, t.hidden(err)
}

func (id *identity) podLog(ctx context.Context, namespace string, of health.Culprit, lines int) ([]string, error) {
	stream, err := id.core.Get().Namespace(namespace).Resource("pods").Name(of.Pod).SubResource("log").
		Param("container", of.Container).Param("tailLines", strconv.Itoa(lines)).Param("previous", strconv.FormatBool(of.Previous)).Stream(ctx)
	if err != nil {
		return nil, classified(err, "read the log of pod "+of.Pod)
	}
	defer stream.Close()
	var out []string
	for s := bufio.NewScanner(stream); s.Scan(); {
		out = append(out, s.Text())
	}
	return out, nil
}
