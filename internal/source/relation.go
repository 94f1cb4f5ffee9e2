package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/resource"
	"syncd.io/syncd/internal/source/remote"
)

// Relation is how a commit stands to the one before.
type Relation uint8

// The relations. Unknown is what cannot be told: a border of what is known never
// looks like the end of a history.
const (
	Unknown  Relation = iota
	Same              // it is that commit
	Ahead             // it is a descendant of it
	Behind            // it is an ancestor of it
	Diverged          // it is neither
)

// String names the relation in one word.
func (r Relation) String() string {
	switch r {
	case Same:
		return "same"
	case Ahead:
		return "ahead"
	case Behind:
		return "behind"
	case Diverged:
		return "diverged"
	}
	return "unknown"
}

// MarshalText writes the relation's word.
func (r Relation) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a relation's word.
func (r *Relation) UnmarshalText(text []byte) error {
	for known := Unknown; known <= Diverged; known++ {
		if known.String() == string(text) {
			*r = known
			return nil
		}
	}
	return fmt.Errorf("%.20q is no relation of commits", text)
}

// Commit is one commit object.
type Commit struct {
	// Hash is its object name, Raw its bytes, without Git's header. Whoever got it
	// from package source may rely on that the one is made of the other.
	Hash string `json:"hash"`
	Raw  []byte `json:"raw"`
}

const (
	// historyOutput is how long the child's answer about history may be, in bytes.
	historyOutput = 64 << 20
	// storeName is the directory of the object store, below the cache.
	storeName = ".objects"
)

// HistoryRequest asks the child how two commits stand to each other.
type HistoryRequest struct {
	Remote remote.Spec `json:"remote"`
	// Want is the query that named To.
	Want remote.Want `json:"want"`
	// From is the commit that is known already; empty only where List or Learn is set.
	From string `json:"from,omitempty"`
	To   string `json:"to"`
	// List asks for the commits that lie between instead of the relation.
	List bool `json:"list,omitempty"`
	// Learn asks for nothing but that the store knows To's history, as far back as is
	// likely to be needed.
	Learn bool `json:"learn,omitempty"`
	// Store is the directory of the object store; it need not be there.
	Store string `json:"store"`
	// Commits is how many commits may lie between, Disk how much may be
	// downloaded, in bytes, and Time for how long more history is fetched where what
	// there is does not tell; zero is no limit.
	Commits int           `json:"commits"`
	Disk    int64         `json:"disk"`
	Time    time.Duration `json:"time,omitempty"`
}

// HistoryAnswer says it.
type HistoryAnswer struct {
	Relation Relation `json:"relation,omitempty"`
	// Cut says why an Unknown relation may be known the next time: what would have told
	// did not come to its end.
	Cut     string   `json:"cut,omitempty"`
	Commits []Commit `json:"commits,omitempty"`
}

// Relate says how commit to stands to commit from: whether one is among the other's
// ancestors. What the object store does not know is asked of the server; the history
// alone where the server can leave out the rest. Unknown, without an error, is what
// the server's answers leave open: it may not have from (any more), or not give it
// out. Where they did not come to their end, the error is Unreachable. Errors are those
// of Load.
func (r *Repository) Relate(ctx context.Context, from, to string) (Relation, error) {
	switch {
	case from == "":
		return Unknown, unnamed(from, to)
	case from == to && remote.ValidCommit(to):
		return Same, nil
	}
	answer, err := r.history(ctx, HistoryRequest{From: from, To: to})
	if errors.Is(err, errOpen) {
		return Unknown, nil
	}
	if err != nil {
		return Unknown, r.placed("compare commits of", retried(ctx, err))
	}
	return answer.Relation, nil
}

// Between returns the commits that are reachable from to and not from from, newest
// first: none where to is from or one of its ancestors. Without from it is to alone.
// That nothing was left out in between is proven by from's own history: where that
// cannot be had, the error is Unreachable. It is Rejected where there are more than
// limits.commits; others are those of Load.
func (r *Repository) Between(ctx context.Context, from, to string) ([]Commit, error) {
	answer, err := r.history(ctx, HistoryRequest{From: from, To: to, List: true})
	if err == nil {
		err = genuine(answer.Commits)
	}
	if err != nil {
		return nil, r.placed("list the commits before "+shortOf(to)+" of", retried(ctx, err))
	}
	return answer.Commits, nil
}

// genuine holds every commit's bytes against its name: the child is not believed.
func genuine(commits []Commit) error {
	for _, c := range commits {
		if objectHash("commit", c.Raw) != c.Hash {
			return fault.As(fault.Unreachable, fmt.Errorf("the bytes of commit %.40q do not fit its name", c.Hash))
		}
	}
	return nil
}

func unnamed(from, to string) error {
	return fault.As(fault.Rejected, fmt.Errorf("%.60q and %.60q are not both full object names", from, to))
}

func (r *Repository) history(ctx context.Context, req HistoryRequest) (HistoryAnswer, error) {
	var answer HistoryAnswer
	if !remote.ValidCommit(req.To) || !remote.ValidCommit(req.From) && req.From != "" {
		return answer, unnamed(req.From, req.To)
	}
	dir, err := filepath.Abs(r.opts.Dir)
	if err != nil {
		return answer, fmt.Errorf("find the cache directory: %w", err)
	}
	q, _ := r.recall(req.To)
	req.Want, req.Store = q.want, filepath.Join(dir, storeName)
	req.Commits, req.Disk = r.opts.Limits.Commits, int64(r.opts.Limits.FetchDisk)
	req.Time = r.opts.Limits.FetchTime.D() / 2 // the rest is for what is needed in any case
	return fromAny(ctx, r, q, func(o *origin) (HistoryAnswer, error) { return r.historyOf(ctx, o, req) })
}

// errOpen says that a server's answers leave open how two commits stand, errCut that they
// did not come to their end.
var (
	errOpen = errors.New("it cannot be told how the commits stand")
	errCut  = errors.New("it cannot be told yet how the commits stand")
)

// open is the error of an answer that says of no relation.
func (a HistoryAnswer) open() error {
	if a.Cut == "" {
		return errOpen
	}
	err := fault.As(fault.Unreachable, fmt.Errorf("%w: %s", errCut, resource.Harmless(a.Cut, maxReason)))
	return fault.Hint(err, "it is tried again; where the server is slow, raise limits.fetchTime in syncd.yaml")
}

// historyOf asks one remote.
func (r *Repository) historyOf(ctx context.Context, o *origin, req HistoryRequest) (HistoryAnswer, error) {
	var answer HistoryAnswer
	defer o.reading()()
	spec, err := o.spec(ctx)
	if err != nil {
		return answer, err
	}
	req.Remote = spec
	turn := r.storeTurn
	if req.Learn {
		turn = r.spareTurn
	}
	done, err := turn(ctx)
	if err != nil {
		return answer, err
	}
	defer done()
	limits := o.bounds(r.opts.Limits.FetchTime.D(), "limits.fetchTime")
	limits.Output, limits.OutputKey = historyOutput, "limits.commits"
	err = o.call(ctx, "history", req, &answer, limits)
	if err == nil && !req.List && !req.Learn && answer.Relation == Unknown {
		err = answer.open()
	}
	return answer, err
}
