package kube

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/resource"
)

// reporter is who the events say that they are from.
const reporter = "syncd.io/syncd"

// The limits of an event's fields, in bytes.
const (
	maxNote   = 1024
	maxReason = 128
)

// told is the event that was written last about an object: the same news again make
// a series of it, and no other event.
type told struct {
	namespace, name string
	reason, text    string
	count           int32
}

// journal remembers the last event of each object, by its UID.
type journal struct {
	mu   sync.Mutex
	last map[string]told
}

// Tell writes news as an event about the object, where kubectl describe shows it.
// The same news as the last ones about it only count.
func (t *Target) Tell(ctx context.Context, news apply.News) error {
	id, err := t.engine.as("") // an app's own account need not be allowed to write events
	if err != nil {
		return err
	}
	known, ok := t.ledger.get(news.Key)
	if !ok {
		return nil
	}
	event := t.event(news, known, resource.Harmless(t.hide(news.Text), maxNote))
	return t.engine.desk.take(ctx, func(ctx context.Context) error {
		return t.engine.write(ctx, id, news, event)
	})
}

// event is the event that tells news about an object.
func (t *Target) event(news apply.News, known entry, text string) *eventsv1.Event {
	namespace, kind := known.Namespace, corev1.EventTypeNormal
	if namespace == "" { // events about what is in no namespace are kept there
		namespace = metav1.NamespaceDefault
	}
	if news.Warning {
		kind = corev1.EventTypeWarning
	}
	now := time.Now()
	return &eventsv1.Event{
		TypeMeta:            metav1.TypeMeta{APIVersion: eventsv1.SchemeGroupVersion.String(), Kind: "Event"},
		ObjectMeta:          metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%.200s.%x", eventName(known.Name), now.UnixNano())},
		EventTime:           metav1.NewMicroTime(now),
		ReportingController: reporter,
		ReportingInstance:   instance(),
		Action:              "Reconcile",
		Type:                kind,
		Reason:              resource.Harmless(news.Reason, maxReason),
		Note:                text,
		Regarding: corev1.ObjectReference{
			APIVersion: known.APIVersion, Kind: known.Kind, Namespace: known.Namespace, Name: known.Name, UID: types.UID(news.Ref.ID),
		},
	}
}

// write writes an event, or counts the last one about the object once more where it
// says the same.
func (e *Engine) write(ctx context.Context, id *identity, news apply.News, event *eventsv1.Event) error {
	last := e.journal.of(news.Ref.ID)
	if last.reason == news.Reason && last.text == event.Note {
		if again, err := e.again(ctx, id, last); err == nil {
			e.journal.keep(news.Ref.ID, again)
			return nil
		}
	}
	err := e.bounded(ctx, func(ctx context.Context) error {
		tree, err := runtime.DefaultUnstructuredConverter.ToUnstructured(event)
		if err == nil {
			_, err = id.events(event.Namespace).Create(ctx, &unstructured.Unstructured{Object: tree}, metav1.CreateOptions{FieldManager: Manager})
		}
		return err
	})
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) || apierrors.IsNotFound(err): // with its namespace, who would read it has gone
		return nil
	case err != nil:
		return classified(err, "write an event about "+news.Key.String())
	}
	e.journal.keep(news.Ref.ID, told{event.Namespace, event.Name, news.Reason, event.Note, 1})
	return nil
}

// events are those of a namespace.
func (id *identity) events(namespace string) dynamic.ResourceInterface {
	return id.dynamic.Resource(eventsv1.SchemeGroupVersion.WithResource("events")).Namespace(namespace)
}

// eventName makes a name of an object one that an event may have: those of roles may
// hold colons.
func eventName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
}

// instance is which of several agents it was: the pod's name, or the host's.
func instance() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return "syncd"
	}
	return resource.Harmless(host, maxReason)
}

// again counts an event that is written already once more.
func (e *Engine) again(ctx context.Context, id *identity, last told) (told, error) {
	last.count++
	patch := fmt.Appendf(nil, `{"series":{"count":%d,"lastObservedTime":%q}}`, last.count, metav1.NewMicroTime(time.Now()).UTC().Format(metav1.RFC3339Micro))
	return last, e.bounded(ctx, func(ctx context.Context) error {
		_, err := id.events(last.namespace).Patch(ctx, last.name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: Manager})
		return err
	})
}

func (j *journal) of(uid string) told {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last[uid]
}

// mostTold bounds how many objects' last events are remembered.
const mostTold = 1000

func (j *journal) keep(uid string, t told) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.last == nil || len(j.last) >= mostTold {
		j.last = map[string]told{}
	}
	j.last[uid] = t
}
