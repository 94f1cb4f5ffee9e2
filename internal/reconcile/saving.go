package reconcile

import (
	"cmp"
	"fmt"
	"reflect"

	"syncd.io/syncd/internal/state"
)

// save writes the record and shows it to readers. Only the owner calls it. A
// read-only agent writes nothing, and nobody what says nothing new.
func (w *worker) save() error {
	if w.agent.opts.ReadOnly {
		return nil
	}
	if !w.behind && !w.touched && len(w.owed) == 0 {
		switch {
		case w.isSaved():
			return nil
		case saysAsMuch(w.read(), w.record):
			w.show()
			return nil
		}
	}
	w.behind = true
	if err := w.settle(); err != nil {
		return err
	}
	w.behind = false
	w.show()
	return nil
}

// isSaved tells whether the record is as it was last saved.
func (w *worker) isSaved() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return reflect.DeepEqual(&w.seen, &w.record)
}

// saysAsMuch tells whether the record says no more than what was written: that what
// was applied has stayed so, and that the good set is what a newer commit asks for, too,
// is found by every look, and goes along with the next write. Of a thousand apps, a
// commit that changes one would else cost a thousand writes.
func saysAsMuch(written, now state.Record) bool {
	if written.Good != nil && now.Good != nil {
		good := *now.Good
		good.Revision = written.Good.Revision
		now.Good = &good
	}
	was, is := written.Last, &now.Last
	if was.Outcome == string(Applied) && is.Outcome == string(Unchanged) {
		is.Outcome, is.Reason = was.Outcome, cmp.Or(is.Reason, was.Reason)
	}
	if was.Outcome == is.Outcome && was.SaysAs(*is) {
		is.Reason, is.Says = was.Reason, was.Says
		is.Revision, is.Since = was.Revision, was.Since
	}
	written.Incident, now.Incident = written.Incident.Unseen(), now.Incident.Unseen()
	return reflect.DeepEqual(&written, &now)
}

// settle writes the record, and with it the lines that are owed.
func (w *worker) settle() error {
	w.keepNotes()
	w.record.Mended = lately(w.record.Mended, w.agent.opts.Now())
	if len(w.owed) == 0 {
		if err := w.agent.opts.Store.Save(w.record); err != nil {
			return fmt.Errorf("save the record of app %s: %w", w.name, err)
		}
		return nil
	}
	if _, err := w.agent.opts.Store.SaveWith(w.record, w.owed...); err != nil {
		return fmt.Errorf("save the record and the history of app %s: %w", w.name, err)
	}
	w.owed = nil // with the room that the lines had
	return nil
}

// saveWith writes the record and a line of its history, both or none, and shows
// the record to readers. Where it cannot, the line is owed: the next save writes
// it.
func (w *worker) saveWith(line state.Entry) error {
	w.owed = append(w.owed, line)
	return w.save()
}

// saveOrNot is saveWith for a person's word: where it cannot be written, it was
// not given, and the record is what it was before.
func (w *worker) saveOrNot(before state.Record, line state.Entry) error {
	err := w.saveWith(line)
	if err != nil {
		w.record, w.owed = before, w.owed[:len(w.owed)-1]
	}
	return err
}

// catchUp saves what could not be saved before. Nothing is begun on the target
// that does not follow from what is on record: after a crash, nobody would know.
func (w *worker) catchUp() error {
	if !w.behind {
		return nil
	}
	return w.save()
}
