package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"syncd.io/syncd/internal/config"
	"syncd.io/syncd/internal/egress"
)

// Bounds of the clock's check: certificates and tokens live with a minute.
const (
	clockLimit = 10 * time.Second
	maxSkew    = time.Minute
)

// checkClock compares this host's clock with the one that the Git server puts
// into its answers.
func checkClock(ctx context.Context, repo config.Repo) finding {
	f := finding{Check: "clock", OK: true}
	u, err := url.Parse(repo.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		f.Detail = "not compared: only an HTTP server tells its time"
		return f
	}
	skew, err := skewTo(ctx, u.Scheme+"://"+u.Host+"/", repo.Auth.CAFile)
	switch {
	case err != nil:
		f.Detail = "not compared: " + err.Error()
	case skew.Abs() > maxSkew:
		return failing(f.Check, fmt.Errorf("it is %v off the Git server's", skew.Round(time.Second)), "set it (timedatectl set-ntp true)")
	default:
		f.Detail = fmt.Sprintf("within %v of the Git server's", maxSkew)
	}
	return f
}

// skewTo is how much this clock is ahead of a server's, to a second or two.
func skewTo(ctx context.Context, address, caFile string) (time.Duration, error) {
	roots, err := egress.Trust(caFile)
	if err != nil {
		return 0, fmt.Errorf("read repo.auth.caFile: %w", err)
	}
	client := egress.Client(roots, clockLimit)
	defer client.CloseIdleConnections()
	timed, cancel := context.WithTimeout(ctx, clockLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(timed, http.MethodHead, address, nil)
	if err != nil {
		return 0, errors.New("the repository's address is none") // not wrapped: it would quote the URL
	}
	asked := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask the Git server for its time: %w", egress.Bare(err))
	}
	defer resp.Body.Close()
	theirs, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, errors.New("the Git server does not tell its time")
	}
	return asked.Add(time.Since(asked) / 2).Sub(theirs), nil
}
