package pulse

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Page answers a probe with what report says: 200 where all is well, else 503. It is
// one word; each check, in a line of its own, with ?verbose or where something is wrong;
// JSON for whoever accepts that, or asks for ?format=json.
func Page(report func() Report) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := report()
		status := http.StatusOK
		if !said.OK {
			status = http.StatusServiceUnavailable
		}
		w.Header().Set("Cache-Control", "no-store")
		if wantsJSON(r) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(said) // who went away needs no answer
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(status)
		fmt.Fprint(w, said.text(r.URL.Query().Has("verbose")))
	})
}

func wantsJSON(r *http.Request) bool {
	return r.URL.Query().Get("format") == "json" || strings.Contains(r.Header.Get("Accept"), "application/json")
}

// text is the report for people.
func (r Report) text(verbose bool) string {
	var b strings.Builder
	for _, c := range r.Checks {
		mark, detail := "ok     ", ""
		if !c.OK {
			mark = "FAILED "
		}
		if c.Detail != "" {
			detail = ": " + c.Detail
		}
		if verbose || !c.OK {
			fmt.Fprintf(&b, "%s%s%s\n", mark, c.Name, detail)
		}
	}
	if r.OK {
		b.WriteString("ok\n")
	}
	return b.String()
}
