package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
)

func TestMetricsAreOnTheSocket(t *testing.T) {
	c := start(t, &fake{}, "")
	var d net.Dialer
	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "unix", c.Socket)
	}}}
	res, err := web.Get("http://syncd/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "up 1\n" {
		t.Errorf("%s, %q, %v", res.Status, body, err)
	}
}
