package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"syncd.io/syncd/internal/fault"
)

// failure is an error on the wire.
type failure struct {
	Class string `json:"class"`
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}

// newFailure puts err on the wire. Where the request's context has ended, so has
// the agent (or the peer is gone, and reads nothing).
func newFailure(ctx context.Context, err error) *failure {
	class := fault.Of(err)
	if class == fault.Unknown && ctx.Err() != nil {
		class = fault.Unreachable
	}
	return &failure{Class: class.String(), Error: err.Error(), Hint: fault.Advice(err)}
}

// fault is the error on the client's side, with its class and hint.
func (f failure) fault() error {
	err := errors.New(f.Error)
	for _, c := range []fault.Class{fault.Unreachable, fault.Rejected, fault.Unhealthy, fault.Blocked} {
		if c.String() == f.Class {
			err = fault.As(c, err)
		}
	}
	if f.Hint == "" {
		return err
	}
	return fault.Hint(err, f.Hint)
}

// statusOf gives an error the HTTP status for people with curl; our own client
// reads the class.
func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errNowhere):
		return http.StatusNotFound
	}
	switch fault.Of(err) {
	case fault.Rejected:
		return http.StatusUnprocessableEntity
	case fault.Blocked, fault.Unhealthy:
		return http.StatusConflict
	case fault.Unreachable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// receive reads the whole body, which is bounded and has to come soon. After it
// nothing limits how long the answer may take.
func receive(w http.ResponseWriter, r *http.Request) error {
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(bodyLimit)); err != nil {
		return fmt.Errorf("limit the time for the request: %w", err)
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return fault.As(fault.Rejected, fmt.Errorf("read the request: %w", err))
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	if err := control.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("lift the time limit of the request: %w", err)
	}
	return nil
}

// decode reads a body. A key that it does not know is an error: it would be a
// wish that is silently not granted.
func decode(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fault.As(fault.Rejected, fmt.Errorf("read the request: %w", err))
	}
	return nil
}

func refuse(w http.ResponseWriter, r *http.Request, status int, err error) {
	send(w, status, newFailure(r.Context(), err))
}

// send writes a JSON answer. Once the status is out, a peer that is gone is the
// only thing that can go wrong, and nobody is left to be told.
func send(w http.ResponseWriter, status int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"class":"unknown","error":"encode the answer"}`)
	}
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return // the connection is gone
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}
