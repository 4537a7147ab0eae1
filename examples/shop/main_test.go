package main

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
)

// A first use: start the program, take a URL and a token from its output, and call.
func TestRun(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, writer, func(string) string { return "" }, services.Addresses{})
		writer.Close()
		ended <- err
	}()
	printed := readUntil(t, reader, "admin", "export TOKEN=")
	go io.Copy(io.Discard, reader)

	url := regexp.MustCompile(`(?m)^users +(http://\S+)$`).FindStringSubmatch(printed)
	tokens := regexp.MustCompile(`(?m)^  export TOKEN=(\S+)$`).FindAllStringSubmatch(printed, -1)
	if url == nil || len(tokens) != 2 || strings.Count(printed, "products  http://") != 3 {
		t.Fatalf("printed\n%s", printed)
	}
	for _, token := range tokens {
		if got := status(t, url[1]+"/users/u1", token[1]); got != 200 {
			t.Errorf("status %d with a printed token", got)
		}
	}
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
}

// readUntil reads up to the line that contains last, after one that contains first.
func readUntil(t *testing.T, from io.Reader, first, last string) string {
	t.Helper()
	var text strings.Builder
	for piece := make([]byte, 4096); ; {
		n, err := from.Read(piece)
		text.Write(piece[:n])
		if _, after, found := strings.Cut(text.String(), first); found && strings.Contains(after, last) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("%v after\n%s", err, text.String())
		}
	}
}

func status(t *testing.T, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestRunRefusesAShortSecret(t *testing.T) {
	getenv := func(name string) string { return map[string]string{"GATEWAY_DEMO_SECRET": "short"}[name] }
	err := run(t.Context(), io.Discard, getenv, services.Addresses{})
	if err == nil || !strings.Contains(err.Error(), "GATEWAY_DEMO_SECRET") {
		t.Errorf("error %v", err)
	}
}
