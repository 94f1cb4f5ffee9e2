package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// echo answers the version at once, and what it was sent after the time that the
// query asks for.
func echo(w http.ResponseWriter, r *http.Request, version string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, version)
	if after, err := time.ParseDuration(r.URL.Query().Get("after")); err == nil {
		_ = http.NewResponseController(w).Flush()
		wait(r.Context(), after)
	}
	fmt.Fprintf(w, "%s%s\n", r.URL.Query().Get("say"), body)
}

// socket echoes frames until one says that it is the last.
func socket(w http.ResponseWriter, r *http.Request, version string) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\nX-Version: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]), version)
	for err = rw.Flush(); err == nil; {
		err = again(rw)
	}
}

const (
	frameHeader = 2
	frameMask   = 4
	lastFrame   = 8 // its opcode
)

// again sends one client's frame back, short, whole and masked as RFC 6455 wants
// it of small messages.
func again(rw *bufio.ReadWriter) error {
	head := make([]byte, frameHeader+frameMask)
	if _, err := io.ReadFull(rw, head); err != nil {
		return err
	}
	if size := head[1] & 127; head[1]&128 == 0 || size > 125 {
		return errors.New("not a short masked frame")
	}
	payload := make([]byte, head[1]&127)
	if _, err := io.ReadFull(rw, payload); err != nil {
		return err
	}
	for i := range payload {
		payload[i] ^= head[frameHeader+i%frameMask]
	}
	if _, err := rw.Write(append([]byte{head[0], byte(len(payload))}, payload...)); err != nil {
		return err
	}
	if err := rw.Flush(); err != nil {
		return err
	}
	if head[0]&15 == lastFrame {
		return io.EOF
	}
	return nil
}
