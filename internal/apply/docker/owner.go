package docker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/volume"

	"syncd.io/syncd/internal/apply"
	"syncd.io/syncd/internal/fault"
)

// A running container cannot be relabelled: after an adoption without a restart
// its label still names who made it. What says who took the app over is a mark,
// an empty volume beside it. Every observation lists the volumes anyway, so that
// another agent that thought the app its own learns of it at no cost.
const (
	labelKind  = ownPrefix + "kind"
	kindOwner  = "owner"
	markPrefix = "syncd-owner-"
)

// ownerMark says that the agent took the app over. Of several the highest number
// counts: the next owner's mark is there before the last one's goes, and of two
// that come at once the engine lets only one have the name. The zero mark stands
// for none.
type ownerMark struct {
	app, agent string
	number     int
}

// String is the name of the mark's volume.
func (m ownerMark) String() string { return markPrefix + m.app + "." + strconv.Itoa(m.number) }

// next is the mark that comes after m.
func (m ownerMark) next(app, agent string) ownerMark { return ownerMark{app, agent, m.number + 1} }

// parseMark reads the name of a mark.
func parseMark(name string) (m ownerMark, ok bool) {
	rest, marked := strings.CutPrefix(name, markPrefix)
	dot := strings.LastIndexByte(rest, '.')
	if !marked || dot < 1 {
		return ownerMark{}, false
	}
	n, err := strconv.Atoi(rest[dot+1:])
	m = ownerMark{app: rest[:dot], number: n}
	return m, err == nil && n > 0 && m.String() == name
}

// marksOf returns the marks of the app, the one that counts last.
func marksOf(app string, volumes []*volume.Volume) []ownerMark {
	var out []ownerMark
	for _, v := range volumes {
		m, ok := parseMark(v.Name)
		m.agent = v.Labels[labelAgent]
		if ok && m.app == app && v.Labels[labelKind] == kindOwner && m.agent != "" {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b ownerMark) int { return a.number - b.number })
	return out
}

// owner returns the mark that counts.
func owner(app string, volumes []*volume.Volume) ownerMark {
	marks := marksOf(app, volumes)
	if len(marks) == 0 {
		return ownerMark{}
	}
	return marks[len(marks)-1]
}

// title is what an agent has on an app.
type title int

const (
	// untitled: nobody took it over; what labels and record say is ours.
	untitled title = iota
	// held: we took it over, with all that other agents made of it.
	held
	// lost: another agent took it over, with all that we made of it.
	lost
)

// title judges what the agent has by this mark; an empty one is told apart from
// nobody.
func (m ownerMark) title(agent string) title {
	switch {
	case m.agent == "" || agent == "":
		return untitled
	case m.agent == agent:
		return held
	default:
		return lost
	}
}

// takenOver is the error for an agent that has lost the app.
func (m ownerMark) takenOver() error {
	err := fmt.Errorf("%w (state directory ID %s)", apply.ErrTaken, m.agent)
	hint := fmt.Sprintf("to take it back: syncd adopt %s; else stop this agent, or let the app's hosts.matchLabels leave this host out", m.app)
	return fault.Hint(fault.As(fault.Blocked, err), hint)
}

// mayTouch tells whether labels, adoption or the title on the app make a
// container ours. That it was adopted from another agent is not enough: without
// the title that agent would have it, too.
func (s *snapshot) mayTouch(labels map[string]string, agent string, adopted bool) bool {
	if s.title == lost || s.title == untitled && !made(labels, agent) {
		return false
	}
	return labels[labelApp] == s.project || adopted
}

// mayTouchBase is mayTouch for networks and volumes, which no adoption names: what
// Compose made is ours where the project was taken over, by the mark or by any of
// its containers.
func (s *snapshot) mayTouchBase(labels map[string]string, agent string, adopted bool) bool {
	composes := labels[labelProject] == s.project && labels[labelApp] == ""
	return s.mayTouch(labels, agent, composes && (adopted || s.title == held))
}

// made tells whether labels name this agent as the maker, or none in particular.
func made(labels map[string]string, agent string) bool {
	maker := labels[labelAgent]
	return maker == "" || agent == "" || maker == agent
}
