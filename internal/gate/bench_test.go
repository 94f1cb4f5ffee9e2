package gate

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

const (
	asked    = 128
	answered = 1 << 10
	stream   = 4 << 20
)

// answers sends a fixed answer to each fixed question; one that begins with an S
// gets a stream.
func answers(conn *net.TCPConn) {
	question, answer := make([]byte, asked), make([]byte, answered)
	for {
		if _, err := io.ReadFull(conn, question); err != nil {
			return
		}
		if question[0] != 'S' {
			if _, err := conn.Write(answer); err != nil {
				return
			}
			continue
		}
		long := make([]byte, 256<<10)
		for left := stream; left > 0; left -= len(long) {
			if _, err := conn.Write(long); err != nil {
				return
			}
		}
	}
}

// BenchmarkTCP compares the way through a gate with the one around it.
func BenchmarkTCP(b *testing.B) {
	server := serve(b, 1, answers)
	g := start(b, table(TCP, server))
	ways := []struct{ name, address string }{{"direct", server.ln.Addr().String()}, {"gate", g.Answer().Address}}
	for _, way := range ways {
		for _, conns := range []int{1, 64} {
			b.Run(fmt.Sprintf("roundtrip/%d/%s", conns, way.name), func(b *testing.B) { ask(b, way.address, conns, 'Q', answered) })
		}
		b.Run("stream/"+way.name, func(b *testing.B) {
			b.SetBytes(stream)
			ask(b, way.address, 1, 'S', stream)
		})
		b.Run("connect/"+way.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				talk(b, way.address, 1, 'Q', answered)
			}
		})
	}
}

// ask spreads b.N questions over connections that stay.
func ask(b *testing.B, address string, conns int, kind byte, size int) {
	var all sync.WaitGroup
	for i := range conns {
		n := b.N / conns
		if i < b.N%conns {
			n++
		}
		all.Go(func() { talk(b, address, n, kind, size) })
	}
	all.Wait()
}

// talk asks n times over one connection.
func talk(b *testing.B, address string, n int, kind byte, size int) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Error(err)
		return
	}
	defer reset(conn.(*net.TCPConn)) // or the ports run out
	question, answer := make([]byte, asked), make([]byte, min(size, 256<<10))
	question[0] = kind
	for range n {
		if _, err := conn.Write(question); err != nil {
			b.Error(err)
			return
		}
		for left := size; left > 0; left -= len(answer) {
			if _, err := io.ReadFull(conn, answer); err != nil {
				b.Error(err)
				return
			}
		}
	}
}
