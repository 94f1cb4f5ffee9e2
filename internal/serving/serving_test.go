package serving_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"syncd.io/syncd/internal/serving"
)

// begin serves a handler, and returns where, and how it ends.
func begin(t *testing.T, goodbye time.Duration, handler http.HandlerFunc) (url string, end func() error) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	web := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { done <- serving.Until(ctx, "a test", web, listener, goodbye) }()
	return "http://" + listener.Addr().String(), func() error { cancel(); return <-done }
}

// get asks, and returns what was answered.
func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

func TestWhatIsUnderWayFinishes(t *testing.T) {
	asked, goOn := make(chan struct{}), make(chan struct{})
	url, end := begin(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-goOn
		_, _ = io.WriteString(w, "done") // the client tells what came
	})
	answers := make(chan string, 1)
	go func() {
		body, err := get(t.Context(), url)
		if err != nil {
			body = err.Error()
		}
		answers <- body
	}()
	<-asked
	time.AfterFunc(10*time.Millisecond, func() { close(goOn) })
	if err := end(); err != nil {
		t.Error(err)
	}
	if got := <-answers; got != "done" {
		t.Errorf("it was answered %q", got)
	}
}

func TestWhatNeverFinishesIsCutOff(t *testing.T) {
	asked := make(chan struct{})
	url, end := begin(t, time.Millisecond, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	answers := make(chan error, 1)
	go func() {
		_, err := get(t.Context(), url)
		answers <- err
	}()
	<-asked
	if err := end(); err != nil {
		t.Error(err)
	}
	if <-answers == nil {
		t.Error("it was answered")
	}
}

func TestAListenerThatEndsIsAnError(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Minute}
	if err := serving.Until(t.Context(), "a test", web, listener, time.Minute); err == nil || !strings.Contains(err.Error(), "serve a test") {
		t.Errorf("it ended with %v", err)
	}
}
