package source

import "context"

// Learn has the object store know what came before the accepted revision. Without
// that, one that is older could not be told from one with another history, once the
// servers have nothing newer. It asks a server once for each revision that does not
// follow from one whose history is known. It gives way to whoever else needs the object
// store, and has to be called again then; one call at a time. Errors are those of Relate,
// and ErrGivesWay.
func (r *Repository) Learn(ctx context.Context) error {
	r.mu.Lock()
	commit, before := r.anchor.Commit, r.learnt
	follows := before != "" && r.relations[[2]string{before, commit}] == Ahead
	r.mu.Unlock()
	if commit == "" || commit == before {
		return nil
	}
	if !follows {
		ctx, end := r.inSpareTime(ctx)
		defer end()
		if _, err := r.history(ctx, HistoryRequest{To: commit, Learn: true}); err != nil {
			return r.placed("fetch the history of revision "+shortOf(commit)+" of", retried(ctx, err))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learnt = commit
	return nil
}
