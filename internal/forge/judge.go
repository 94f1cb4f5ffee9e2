package forge

import (
	"cmp"
	"fmt"
	"strings"
)

// verdict is what there is to say of a commit. says is the same for what need not be
// said again; gone tells that what was live is so no more.
type verdict struct {
	state State
	text  string
	says  string
	gone  bool
}

// judge says how the wanted commit fares, over all apps.
func (c *commit) judge(short string) verdict {
	if c.Refused != "" {
		return verdict{state: Failure, text: "not followed: " + c.Refused}
	}
	if failed := c.in(bad, stuck); len(failed) > 0 {
		return verdict{state: Failure, text: c.why(failed, note.reason), gone: c.gone(failed)}
	}
	if under := append(c.in(running, unseen), c.notSeen()...); len(under) > 0 {
		return verdict{state: Pending, text: "under way: " + list(under), says: "under way"}
	}
	if held := c.in(waiting); len(held) > 0 {
		return verdict{state: Pending, text: c.why(held, note.reason), says: c.why(held, note.says)}
	}
	live := c.in(good)
	if len(live) == 0 {
		return verdict{state: Success, text: "nothing on this host is changed by " + short}
	}
	return verdict{state: Success, text: "live and healthy: " + list(live)}
}

// judgeApp says how it fares for one app that it concerns.
func (c *commit) judgeApp(app string) verdict {
	n := c.Apps[app]
	switch n.Phase {
	case good:
		return verdict{state: Success, text: "live and healthy"}
	case bad, stuck:
		return verdict{state: Failure, text: cmp.Or(n.Reason, "failed"), gone: c.gone([]string{app})}
	case waiting:
		return verdict{state: Pending, text: n.Reason, says: n.says()}
	default:
		return verdict{state: Pending, text: "under way", says: "under way"}
	}
}

// judgePast says how a commit fared that is wanted no more: as far as that was found
// out, else that it was superseded by the one that is.
func (c *commit) judgePast(short string) verdict {
	switch failed, open := c.in(bad), c.in(unseen, running, waiting, stuck); {
	case c.Refused != "":
		return verdict{state: Failure, text: "not followed: " + c.Refused}
	case len(failed) > 0:
		return verdict{state: Failure, text: c.why(failed, note.reason), gone: c.gone(failed)}
	case len(open) == 0 && len(c.in(good)) > 0:
		return verdict{state: Success, text: "was live and healthy: " + list(c.in(good))}
	default:
		return superseded(short)
	}
}

// judgePastApp is judgePast for one app.
func (c *commit) judgePastApp(app, short string) verdict {
	if v := c.judgeApp(app); v.state != Pending && c.Apps[app].Phase != stuck {
		return v
	}
	return superseded(short)
}

func superseded(short string) verdict {
	return verdict{state: Superseded, text: "superseded by " + short + " before it was live here"}
}

// notSeen are apps that it does not seem to concern, and that no pass has looked at:
// whether it does, only that shows.
func (c *commit) notSeen() []string {
	var names []string
	for name, n := range c.Apps {
		if !n.Concerned && n.Phase == unseen {
			names = append(names, name)
		}
	}
	return names
}

// why is the reason of the first of some apps, as reason has it, and how many others there
// are.
func (c *commit) why(apps []string, reason func(note) string) string {
	text := apps[0]
	if reason := reason(c.Apps[text]); reason != "" {
		text += ": " + reason
	}
	if others := len(apps) - 1; others > 0 {
		text = fmt.Sprintf("%s (and %s)", text, plural(others, "other app"))
	}
	return text
}

// mostNamed is how many apps are named.
const mostNamed = 5

func list(apps []string) string {
	if more := len(apps) - mostNamed; more > 0 {
		return strings.Join(apps[:mostNamed], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(apps, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// news tells whether v is said where before was said last; known is false where
// nothing was. What is live is not pending again, whatever is repaired; what failed is
// pending only where it is tried again. That a commit was superseded is of no interest
// where it was never spoken of.
func (v verdict) news(before told, known bool) bool {
	switch {
	case !known:
		return v.state != Superseded
	case before.State == v.state:
		return v.state == Pending && v.says != before.Says
	case v.state == Superseded:
		return before.State == Pending
	case before.State == Success:
		return v.state == Failure && v.gone
	case before.State == Failure && v.state == Pending:
		return v.says == "under way"
	default:
		return true
	}
}
