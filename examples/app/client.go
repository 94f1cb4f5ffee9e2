package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"
)

// ask sends one request to the database at address and returns the value.
func ask(ctx context.Context, address string, words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("ask the database: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return "", fmt.Errorf("ask the database: %w", err)
	}
	if _, err := fmt.Fprintln(conn, strings.Join(words, " ")); err != nil {
		return "", fmt.Errorf("ask the database: %w", err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("read the database's answer: %w", err)
	}
	value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "ok ")
	if !ok {
		return "", fmt.Errorf("the database answered %q", strings.TrimSpace(line))
	}
	return value, nil
}
