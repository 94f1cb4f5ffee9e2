// Command backend answers every request at its port with the same kibibyte. It
// costs so little that what is measured is the way to it.
package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
)

// bodySize is how many bytes each answer has.
const bodySize = 1 << 10

func main() {
	ln, err := net.ListenTCP("tcp", &net.TCPAddr{Port: 8080})
	for err == nil {
		var conn net.Conn
		if conn, err = ln.Accept(); err == nil {
			go converse(conn)
		}
	}
	fmt.Fprintln(os.Stderr, "error:", err)
	os.Exit(1)
}

// converse answers whatever ends in an empty line: requests have no bodies here.
func converse(conn net.Conn) {
	defer conn.Close()
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", bodySize, bytes.Repeat([]byte("x"), bodySize))
	request, n := make([]byte, 4<<10), 0
	for n < len(request) {
		more, err := conn.Read(request[n:])
		if err != nil {
			return
		}
		n += more
		if !bytes.HasSuffix(request[:n], []byte("\r\n\r\n")) {
			continue
		}
		n = 0
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
