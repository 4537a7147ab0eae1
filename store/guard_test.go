package store_test

import (
	"bytes"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A server that speaks like Redis until it is asked for a value, and then sends what would take all memory,
// or all of the stack, costs an error.
func TestHostileReplies(t *testing.T) {
	for name, reply := range map[string]string{
		"a list of 2,147,483,647":     "*2147483647\r\n",
		"lists of lists":              strings.Repeat("*100000\r\n", 1000),
		"lists 5,000,000 deep":        strings.Repeat("*1\r\n", 5_000_000),
		"maps":                        "%100000000\r\n",
		"a text of 63 bits":           "$9223372036854775807\r\n",
		"a length of 100 digits":      "$" + strings.Repeat("9", 100) + "\r\n",
		"a line without an end":       "+" + strings.Repeat("a", 20<<20),
		"a push of many":              ">2147483647\r\n",
		"an attribute of many":        "|2147483647\r\n",
		"another protocol":            "HTTP/1.1 200 OK\r\n\r\n",
		"a list in a text, then many": "$13\r\n*2147483647\r\n\r\n*2147483647\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go pretend(conn, reply)
				}
			}()
			s, _ := newStore(t, "redis://"+listener.Addr().String())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			started := time.Now()
			if value, err := s.Get(t.Context(), "a"); err == nil && string(value) != "*2147483647\r\n" {
				t.Errorf("got %.100q", value)
			}
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			time.Sleep(100 * time.Millisecond) // what is still read
			runtime.ReadMemStats(&after)
			if grown := (after.Sys - before.Sys) >> 20; grown > 200 {
				t.Errorf("it took %d MB", grown)
			}
		})
	}
}

// pretend answers OK to each command but GET.
func pretend(conn net.Conn, reply string) {
	defer conn.Close()
	room := make([]byte, 64<<10)
	for {
		n, err := conn.Read(room)
		if err != nil {
			return
		}
		commands := bytes.ToLower(room[:n])
		answer := strings.Repeat("+OK\r\n", bytes.Count(commands, []byte("*")))
		switch {
		case bytes.Contains(commands, []byte("hello")):
			answer = "-ERR unknown command\r\n"
		case bytes.Contains(commands, []byte("\r\nget\r\n")):
			answer = reply
		}
		if _, err := conn.Write([]byte(answer)); err != nil {
			return
		}
	}
}
