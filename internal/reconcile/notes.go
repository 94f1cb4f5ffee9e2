package reconcile

import (
	"bytes"

	"syncd.io/syncd/internal/apply"
)

// keepNotes puts what the target wants to be remembered into the record that is
// about to be written. What changes by looking alone is not worth a write: it goes
// along with the next one.
func (w *worker) keepNotes() {
	noter, ok := w.target.(apply.Noter)
	if !ok || !w.touched && len(w.owed) == 0 && w.isSaved() {
		return
	}
	rec := &w.record
	if rec.Good == nil && rec.Attempt == nil && rec.Halted == "" { // nothing of the app is there, or it is left alone
		rec.Target = nil
		return
	}
	if notes := noter.Notes(); !bytes.Equal(notes, rec.Target) {
		rec.Target = notes
	}
}
