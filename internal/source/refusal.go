package source

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"syncd.io/syncd/internal/fault"
	"syncd.io/syncd/internal/source/remote"
)

// refusedFor is how long a commit that was refused is not fetched again unless
// somebody asks: every fetch of it costs the Git server and this host the same, at
// each poll.
const refusedFor = 10 * time.Minute

// refusal is why a commit was refused.
type refusal struct {
	err error
	at  time.Time
}

// Forget lets commits be fetched again that were refused, and remotes be asked again
// that gave nothing: somebody asks.
func (r *Repository) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.refused)
	clear(r.proofs)
	maps.DeleteFunc(r.relations, func(_ [2]string, known Relation) bool { return known == Unknown })
	r.askAll()
}

// AskAll lets every remote be asked next time, also one that would be left alone for
// a while because it did not answer: somebody who should know says that there is
// something new.
func (r *Repository) AskAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.askAll()
}

// judgeOf names all that a verdict depends on besides the commit and the limits,
// which never change: the query, and how the server is reached. It holds no secret.
func judgeOf(spec remote.Spec, want remote.Want) (string, error) {
	data, err := json.Marshal(FetchRequest{Remote: spec, Want: want})
	if err != nil {
		return "", fmt.Errorf("encode the request: %w", err)
	}
	return sum(data), nil
}

// refusedBy is the error that the same judge gave lately; nil where there is none.
func (r *Repository) refusedBy(judge, commit string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, ok := r.refused[commit+judge]
	if !ok || r.opts.Now().Sub(last.at) >= refusedFor {
		return nil
	}
	return last.err
}

// remark keeps err where the commit is to blame for it.
func (r *Repository) remark(judge, commit string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.refused) >= remembered {
		clear(r.refused)
	}
	if fault.Of(err) == fault.Rejected {
		r.refused[commit+judge] = refusal{err, r.opts.Now()}
	} else {
		delete(r.refused, commit+judge)
	}
}
