// Package redistest starts real Redis servers for tests, and lets them hang and die.
package redistest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a redis-server that runs for a test.
type Server struct {
	t       testing.TB
	address string
	cmd     *exec.Cmd // nil when it does not run
}

// Start starts a server on a free port of the loopback interface, and stops it when the test ends. The
// test is skipped where redis-server is not installed, and fails there with CI=true.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed: ", err)
		}
		t.Skip("redis-server is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, address: l.Addr().String()}
	l.Close()
	s.Run()
	t.Cleanup(s.Kill)
	return s
}

// URL returns the URL of the server, which stays the same.
func (s *Server) URL() string { return "redis://" + s.address }

// Run starts the server, without data, and waits until it answers.
func (s *Server) Run() {
	s.t.Helper()
	_, port, _ := net.SplitHostPort(s.address)
	s.cmd = exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.t.TempDir())
	s.cmd.Stdout, s.cmd.Stderr = io.Discard, io.Discard
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if reply, err := s.command("PING"); err == nil && reply == "+PONG" {
			return
		} else if time.Since(begin) > 10*time.Second {
			s.t.Fatalf("redis-server does not answer: %q, %v", reply, err)
		}
	}
}

// Kill ends the server at once, with its data, unless it has ended.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill() //nolint:errcheck // it may have ended by itself
	s.cmd.Wait()         //nolint:errcheck // it was killed
	s.cmd = nil
}

// Hang stops the server from running, while its connections stay open.
func (s *Server) Hang() { s.signal(syscall.SIGSTOP) }

// Resume ends Hang.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// Command sends a command, whose arguments have no spaces, and returns the first line of the reply, as
// "+OK" or ":3".
func (s *Server) Command(words ...string) string {
	s.t.Helper()
	reply, err := s.command(strings.Join(words, " "))
	if err != nil {
		s.t.Fatal(err)
	}
	return reply
}

func (s *Server) command(line string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.address, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second)) //nolint:errcheck // a connection has one
	fmt.Fprintf(conn, "%s\r\n", line)
	reply, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimRight(reply, "\r\n"), err
}
