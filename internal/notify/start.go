package notify

// Start is how a record was when an agent began to write to it.
type Start struct {
	// Last is the ID of the last fact.
	Last uint64
	// Known says up to which fact all is known: what others told, and where nobody ever
	// told anything, the last.
	Known marks
}

// StartOf finds that out, and notes for others where the first one begins, whatever
// becomes of it. It is cheap; no fact is read. Errors: those of journal and of shared,
// which may be nil.
func StartOf(journal Journal, shared Shared) (Start, error) {
	last, err := journal.Last()
	start := Start{Last: last, Known: marks{All: last}}
	if err != nil || shared == nil {
		return start, err
	}
	told, to, begun, err := shared.Told()
	if err != nil {
		return start, err
	}
	if !begun {
		return start, shared.SetTold(last, nil)
	}
	start.Known = marks{All: told, To: to}
	return start, nil
}
