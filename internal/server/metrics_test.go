package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
)

func TestMetricsAndProbesAreOnTheSocket(t *testing.T) {
	c := start(t, &fake{}, "")
	var d net.Dialer
	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "unix", c.Socket)
	}}}
	for path, want := range map[string]string{"metrics": "200 OK up 1\n", "healthz": "200 OK ok\n", "readyz": "503 Service Unavailable FAILED engine\n"} {
		res, err := web.Get("http://syncd/" + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if got := res.Status + " " + string(body); err != nil || got != want {
			t.Errorf("/%s: %q, want %q, %v", path, got, want, err)
		}
	}
}
