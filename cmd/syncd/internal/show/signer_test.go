package show_test

import (
	"strings"
	"testing"

	"syncd.io/syncd/internal/reconcile"
	"syncd.io/syncd/internal/source"
	"syncd.io/syncd/internal/source/verify"
	"syncd.io/syncd/internal/state"
)

// signed is a revision that a hostile signer signed.
func signed() source.Revision {
	r := first
	r.Signer = verify.Signer{Kind: verify.SSH, Name: hostile, Key: "SHA256:abc"}
	return r
}

// Who signed is shown with the revision, harmless, and only where that is known.
func TestSignersAreShown(t *testing.T) {
	entries := []state.Entry{{App: "shop", At: now, Kind: "sync", Outcome: "applied", Revision: signed()}, {App: "shop", At: now, Kind: "sync", Outcome: "applied", Revision: first}}
	for what, text := range map[string]string{
		"status":  style().Status(reconcile.Status{Host: "a", Revision: signed()}),
		"plan":    style().Plan([]reconcile.Preview{{App: "shop", Revision: signed()}}),
		"history": style().History(entries, 20),
	} {
		if !strings.Contains(strings.ToLower(text), "signed by") || !strings.Contains(text, "xred") || strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("%s:\n%s", what, text)
		}
	}
	if text := style().History(entries[1:], 20); strings.Contains(text, "SIGNED") {
		t.Errorf("a history without signatures:\n%s", text)
	}
}

func TestWhatIsRejectedIsNotCalledUnreadable(t *testing.T) {
	text := style().Status(reconcile.Status{Host: "a", SourceError: "revision 1a2b is not accepted: it is not signed", SourceHint: "sign it", SourceOutcome: reconcile.Rejected})
	if !strings.Contains(text, "\nrejected: revision 1a2b is not accepted: it is not signed\nhint: sign it\n") {
		t.Errorf("got:\n%s", text)
	}
}
