package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// app runs the server with an environment until the test ends or it crashes. It
// returns its address, what asks it to end, and where its exit code comes.
func app(t *testing.T, environ map[string]string) (address string, end context.CancelFunc, code <-chan int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PORT", port)
	for name, value := range environ {
		t.Setenv(name, value)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		exit, err := run(ctx, nil)
		if err != nil {
			t.Error(err)
		}
		ended <- exit
	}()
	return "http://127.0.0.1:" + port, cancel, ended
}

// ask returns the answer's code and text; 0 when nobody answers.
func ask(t *testing.T, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

// answers waits until a URL answers with that code.
func answers(t *testing.T, url string, want int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var got int
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); <-tick.C {
		if got, _ = ask(t, url); got == want {
			return
		}
	}
	t.Fatalf("%s answers %d, want %d", url, got, want)
}

func TestItServesItsVersionAndEndsWell(t *testing.T) {
	address, end, code := app(t, map[string]string{"VERSION": "7"})
	answers(t, address+"/ready", 200)
	answers(t, address+"/healthz", 200)
	if _, text := ask(t, address); text != "7\n" {
		t.Errorf("it says %q", text)
	}
	end()
	if exit := <-code; exit != 0 {
		t.Errorf("it ends with %d", exit)
	}
}

func TestItIsReadyWhenItIsToldToBe(t *testing.T) {
	address, _, _ := app(t, map[string]string{"READY_AFTER": "300ms"})
	answers(t, address+"/ready", 503)
	answers(t, address+"/ready", 200)
}

func TestItIsNeverReadyWhenItIsToldNotToBe(t *testing.T) {
	address, _, _ := app(t, map[string]string{"NEVER_READY": "1"})
	answers(t, address+"/healthz", 200)
	answers(t, address+"/ready", 503)
}

func TestItFallsSick(t *testing.T) {
	address, _, _ := app(t, map[string]string{"SICK_AFTER": "1s"})
	answers(t, address+"/healthz", 200)
	answers(t, address+"/healthz", 503)
}

func TestItCrashes(t *testing.T) {
	_, _, code := app(t, map[string]string{"CRASH": "9", "CRASH_AFTER": "10ms"})
	if exit := <-code; exit != 9 {
		t.Errorf("it ends with %d", exit)
	}
}

func TestItDrains(t *testing.T) {
	address, end, code := app(t, map[string]string{"DRAIN": "500ms"})
	answers(t, address+"/ready", 200)
	end()
	answers(t, address+"/ready", 503)
	if status, _ := ask(t, address); status != 200 {
		t.Errorf("while it drains it answers %d", status)
	}
	if exit := <-code; exit != 0 {
		t.Errorf("it ends with %d", exit)
	}
}

func TestArguments(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("THERE", listener.Addr().String())
	for name, c := range map[string]struct {
		args []string
		code int
		bad  bool
	}{
		"a job that ends well":  {[]string{"job", "0", "0"}, 0, false},
		"a job that ends badly": {[]string{"job", "0.01", "4"}, 4, false},
		"no number":             {[]string{"job", "soon", "4"}, 2, true},
		"too few":               {[]string{"job"}, 2, true},
		"somebody":              {[]string{"reach", "${THERE}"}, 0, false},
		"nobody":                {[]string{"reach", "127.0.0.1:1"}, 0, true},
		"unknown":               {[]string{"dance"}, 2, true},
	} {
		code, err := run(t.Context(), c.args)
		if code != c.code || (err != nil) != c.bad {
			t.Errorf("%s: %s", name, fmt.Sprint(code, err))
		}
	}
}
