package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// serveStore answers the store's requests, one line each, until ctx ends.
func serveStore(ctx context.Context, s settings, out io.Writer) error {
	data, err := openStore(s.data)
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", cmp.Or(s.listen, ":5000"))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Fprintf(out, "%s %s: db on %s\n", s.name, s.version, ln.Addr())
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept: %w", err)
		}
		serving.Go(func() { answer(conn, data) })
	}
}

// answer serves one connection: one request, one answer.
func answer(conn net.Conn, data *store) {
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return
	}
	line, err := bufio.NewReader(io.LimitReader(conn, 64<<10)).ReadString('\n')
	if err != nil {
		return // a probe that only connects
	}
	if value, err := data.do(line); err != nil {
		_, _ = fmt.Fprintf(conn, "err %s\n", err)
	} else {
		_, _ = fmt.Fprintf(conn, "ok %s\n", value)
	}
}
