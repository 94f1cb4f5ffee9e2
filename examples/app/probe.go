package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// probe asks address once, http://... or tcp://host:port, within two seconds.
func probe(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if hostport, ok := strings.CutPrefix(address, "tcp://"); ok {
		return probeTCP(ctx, hostport)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("probe %s: %w", address, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	if err := resp.Body.Close(); err != nil {
		return fmt.Errorf("probe %s: %w", address, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("probe %s: answered %s", address, resp.Status)
	}
	return nil
}

func probeTCP(ctx context.Context, hostport string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostport)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	return conn.Close()
}
