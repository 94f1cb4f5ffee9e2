package webhook

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"syncd.io/syncd/internal/config"
)

// refusal is why a request was refused: for the metrics alone. Who sent it learns
// nothing that it did not know.
type refusal string

const (
	elsewhere refusal = "path"
	method    refusal = "method"
	format    refusal = "type"
	size      refusal = "size"
	unread    refusal = "body"
	crowded   refusal = "busy"
	standby   refusal = "standby"
	noSecret  refusal = "secret"
	unproven  refusal = "signature"
)

// status is what the sender is told.
func (r refusal) status() int {
	switch r {
	case elsewhere:
		return http.StatusNotFound
	case method:
		return http.StatusMethodNotAllowed
	case format:
		return http.StatusUnsupportedMediaType
	case size:
		return http.StatusRequestEntityTooLarge
	case unread:
		return http.StatusBadRequest
	case crowded, standby:
		return http.StatusServiceUnavailable
	default:
		return http.StatusUnauthorized
	}
}

func (r *Receiver) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(r.opts.Path+"/{name}", r.receive)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { r.refuse(w, "", elsewhere) })
	return mux
}

// receive answers one request.
func (r *Receiver) receive(w http.ResponseWriter, req *http.Request) {
	name := req.PathValue("name")
	if _, known := r.hooks[name]; !known {
		r.refuse(w, "", elsewhere)
		return
	}
	if why := r.judge(w, req); why != "" {
		r.refuse(w, name, why)
		return
	}
	r.counts.accept(name)
	r.opts.Log.Debug("webhook", "hook", name)
	r.bell.ring()
	answer(w, http.StatusAccepted, "accepted\n")
}

// judge says why a request is refused; empty where it is not. The body is held to be
// proven, and never read.
func (r *Receiver) judge(w http.ResponseWriter, req *http.Request) refusal {
	switch {
	case req.Method != http.MethodPost:
		return method
	case !sentByForges(req.Header.Get("Content-Type")):
		return format
	case req.ContentLength > maxBody:
		return size
	case r.opts.Ready != nil && !r.opts.Ready():
		return standby
	}
	select {
	case r.places <- struct{}{}:
		defer func() { <-r.places }()
	default:
		return crowded
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return size
	case err != nil:
		return unread
	}
	return r.prove(r.hooks[req.PathValue("name")], req.Header, body)
}

// sentByForges tells of the content types that forges send.
func sentByForges(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || kind == "application/x-www-form-urlencoded")
}

// prove checks that the sender knows the hook's secret.
func (r *Receiver) prove(h config.Hook, header http.Header, body []byte) refusal {
	secret, err := secretOf(h)
	r.tell(h.Name, err)
	switch {
	case err != nil:
		return noSecret
	case !proven(h, secret, header, body):
		return unproven
	}
	return ""
}

// tell logs trouble with a secret when it begins, changes or ends.
func (r *Receiver) tell(hook string, err error) {
	trouble := ""
	if err != nil {
		trouble = err.Error()
	}
	r.mu.Lock()
	old := r.trouble[hook]
	r.trouble[hook] = trouble
	r.mu.Unlock()
	switch trouble {
	case old:
	case "":
		r.opts.Log.Info("webhooks are accepted again", "hook", hook)
	default:
		r.opts.Log.Warn("webhooks are refused", "hook", hook, "error", trouble)
	}
}

// refuse answers with the status alone: which secret is wrong, and how, is nobody's
// business.
func (r *Receiver) refuse(w http.ResponseWriter, hook string, why refusal) {
	r.counts.refuse(hook, string(why))
	status := why.status()
	switch status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "2")
	}
	w.Header().Set("Connection", "close") // what is left of its body is not waited for
	r.opts.Log.Debug("webhook refused", "hook", hook, "why", string(why))
	answer(w, status, http.StatusText(status)+"\n")
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // a sender that is gone is told nothing
}
