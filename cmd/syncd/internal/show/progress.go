package show

import (
	"fmt"
	"time"
	"unicode"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/spec"
)

// subject is what a step works on: a service, or the slot itself.
func subject(k resource.Key) string {
	if k.Kind == spec.KindContainer {
		return k.Namespace
	}
	return k.String()
}

// doing says where a step is, as people know it; empty for what is not worth a
// word.
func doing(e apply.Event) (string, colour) {
	detail := ""
	if e.Detail != "" {
		detail = ": " + sentence(e.Detail)
	}
	switch e.Phase {
	case apply.FailedNow:
		return "failed" + detail, red
	case apply.Tolerated:
		return "not well, and was not before" + detail, yellow
	case apply.Waiting:
		return waiting(e) + detail, yellow
	case apply.Begun:
		return begun(e.Step), yellow
	case apply.Done:
		return done(e), green
	}
	return "", plain
}

func waiting(e apply.Event) string {
	if e.Step.Verb != apply.Await {
		return begun(e.Step)
	}
	text := "waiting " + whole(e.Elapsed.D())
	if e.Limit > 0 {
		text += " of " + whole(e.Limit.D())
	}
	return text
}

func begun(s apply.Step) string {
	switch {
	case s.Verb == apply.Put && runs(s.Key):
		return "starting"
	case s.Verb == apply.Put && applied(s.Key):
		return "applying"
	case s.Verb == apply.Put:
		return "making"
	case s.Verb == apply.Stop:
		return "stopping"
	case s.Verb == apply.Remove:
		return "removing"
	default:
		return "waiting"
	}
}

func done(e apply.Event) string {
	switch s := e.Step; {
	case s.Verb == apply.Put && runs(s.Key):
		return "started"
	case s.Verb == apply.Put && applied(s.Key):
		return "applied"
	case s.Verb == apply.Put:
		return "made"
	case s.Verb == apply.Stop:
		return "stopped"
	case s.Verb == apply.Remove:
		return "removed"
	case s.Until == resource.Completed:
		return "completed"
	default:
		return string(resource.Healthy)
	}
}

// runs tells whether a slot holds something that runs, and is not just there.
func runs(k resource.Key) bool { return k.Kind == spec.KindContainer }

// applied tells an object of a cluster: whether a put makes it or mends it, it is
// applied.
func applied(k resource.Key) bool { return k.Kind != "" && unicode.IsUpper(rune(k.Kind[0])) }

// whole is a duration in full seconds, which does not flicker.
func whole(d time.Duration) string { return fmt.Sprintf("%d s", d/time.Second) }

// EventLine is an event as a line of a log: no colours, nothing for what comes
// many times a second; empty where there is nothing to say.
func EventLine(e reconcile.Event) string {
	switch {
	case e.Result != nil:
		return ResultLine(*e.Result)
	case e.Step == nil:
		if e.Text == "" {
			return ""
		}
		return prefix(e) + sentence(e.Text)
	case e.Step.Phase == apply.Waiting, e.Step.Phase == apply.Begun && e.Step.Step.Verb == apply.Await:
		return ""
	}
	text, _ := doing(*e.Step)
	if text == "" {
		return ""
	}
	return prefix(e) + word(e.Step.Step.Key.String()) + " " + text
}

func prefix(e reconcile.Event) string {
	if e.App == "" {
		return ""
	}
	return word(e.App) + ": "
}
