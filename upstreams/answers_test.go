package upstreams_test

import (
	"bufio"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// rawAnswers starts a server over TCP that sends answers[n], byte by byte as it is, for the path /n,
// and then closes the connection. It returns its URL.
func rawAnswers(t *testing.T, answers []string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				if n, err := strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/")); err == nil {
					io.WriteString(conn, answers[n])
				}
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		wg.Wait()
	})
	return "http://" + listener.Addr().String()
}

// reading is the result of reading an answer by a transport.
type reading struct {
	status int
	body   string
	err    string // the message for clients, "" if the answer was read
}

func readAnswer(t *testing.T, s *upstreams.Services, n int) reading {
	t.Helper()
	resp, err := s.Do(t.Context(), "users", rest.New(http.MethodGet, "/").Segment(n))
	if err == nil {
		defer resp.Release()
		return reading{status: resp.Status, body: string(resp.Body)}
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Fatalf("%T is no fault: %v", err, err)
	}
	if e, ok := errors.AsType[*rest.StatusError](err); ok {
		return reading{status: f.Status, body: string(e.Response.Body)}
	}
	return reading{err: f.Message}
}

const (
	outOfReach = "the service cannot be reached"
	unreadable = "the service's answer cannot be read"
	brokenOff  = "the service broke off its answer"
	tooLarge   = "the service's answer is too large"
)

// The messages for answers that are read, or not, by both transports.
func answersOverTCP() map[string]reading {
	const ok = "HTTP/1.1 200 OK\r\n"
	chunked := ok + "Transfer-Encoding: chunked\r\n"
	read := func(body string) reading { return reading{status: 200, body: body} }
	return map[string]reading{
		ok + "Content-Length: 2\r\n\r\n{}":                                                                  read("{}"),
		ok + "content-length: 2\r\nCONTENT-TYPE: application/json\r\n\r\n{}":                                read("{}"),
		ok + "Content-Length:2\r\n\r\n{}":                                                                   read("{}"),
		ok + "Content-Length: \t 2 \t\r\nX-Empty:\r\n\r\n{}":                                                read("{}"),
		ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}":                                             read("{}"),
		ok + "X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}":                                                    read("{}"),
		ok + "X : a\r\nContent-Length: 2\r\n\r\n{}":                                                         read("{}"),
		ok + "Keep-Alive: timeout=5, max=100\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}":      read("{}"),
		ok + "Connection: close\r\n\r\n{}":                                                                  read("{}"),
		ok + "\r\n{}":                                                                                       read("{}"),
		"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}":                                                          read("{}"),
		"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}":                                                       read("{}"),
		"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}":                                                      read("{}"),
		"HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\n{}":                                                   read("{}"),
		"HTTP/1.0 200 OK\r\n\r\n{}":                                                                         read("{}"),
		"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}":                                                    read("{}"),
		"HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}":                                read("{}"),
		"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}":  read("{}"),
		chunked + "\r\n2\r\n{}\r\n0\r\n\r\n":                                                                read("{}"),
		chunked + "\r\n2;a=b;c=\"d\"\r\n{}\r\n0;e\r\n\r\n":                                                  read("{}"),
		chunked + "\r\n0002\r\n{}\r\n0\r\n\r\n":                                                             read("{}"),
		chunked + "\r\n2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n":                                                    read("{}"),
		chunked + "Content-Length: 9\r\n\r\n2\r\n{}\r\n0\r\n\r\n":                                           read("{}"),
		"HTTP/1.1 204 No Content\r\n\r\n":                                                                   {status: 204},
		"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}":                                             {status: 404, body: "{}"},
		"HTTP/1.1 599 \xe9 : x\r\nContent-Length: 2\r\n\r\n{}":                                              {status: 599, body: "{}"},
		ok + "Content-Encoding: GZIP\r\n\r\n":                                                               read(""),
		"":                                                                                                  {err: outOfReach},
		ok + "Content-Length: 2":                                                                            {err: brokenOff},
		ok + "Content-Length: 3\r\n\r\n{}":                                                                  {err: brokenOff},
		chunked + "\r\n2\r\n{}\r\n":                                                                         {err: brokenOff},
		chunked + "\r\n5\r\n{}":                                                                             {err: brokenOff},
		"SSH-2.0-OpenSSH_9.9\r\n":                                                                           {err: unreadable},
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n":                                              {err: unreadable},
		"<html>\r\n</html>\r\n\r\n":                                                                         {err: unreadable},
		ok + "no colon\r\n\r\n":                                                                             {err: unreadable},
		ok + ": no name\r\n\r\n":                                                                            {err: unreadable},
		ok + "X: a\x00b\r\nContent-Length: 2\r\n\r\n{}":                                                     {err: unreadable},
		ok + "X: " + strings.Repeat("a", 300<<10) + "\r\n\r\n":                                              {err: unreadable},
		ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}":                                             {err: unreadable},
		ok + "Content-Length: x\r\n\r\n{}":                                                                  {err: unreadable},
		ok + "Content-Length: 999999999999\r\n\r\n{}":                                                       {err: tooLarge},
		ok + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n":                                 {err: unreadable},
		chunked + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n":                                  {err: unreadable},
		chunked + "\r\nx\r\n{}\r\n0\r\n\r\n":                                                                {err: unreadable},
		chunked + "\r\n1\r\n{}\r\n0\r\n\r\n":                                                                {err: unreadable},
		ok + "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}":                                          {err: unreadable},
		ok + "Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n{} and 17 more bytes":                     {err: unreadable},
		ok + "Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff": {err: brokenOff},
	}
}

// Each answer is read by our transport as by net/http, or refused as one that cannot be read; and a
// service that answers anything at all is not said to be out of reach. The answers of the table are
// tried, and many that are made of them by random changes.
func TestAnswersLikeNetHTTP(t *testing.T) {
	const mutations = 4000
	log.SetOutput(io.Discard) // net/http writes there what it finds after a response
	defer log.SetOutput(os.Stderr)
	table := answersOverTCP()
	var answers []string
	for text := range table {
		answers = append(answers, text)
	}
	random := rand.New(rand.NewPCG(46, 2))
	for range mutations {
		answers = append(answers, mutate(random, answers[random.IntN(len(table))]))
	}
	url := rawAnswers(t, answers)
	own, standard := newServices(t, upstreams.Source{URLs: upstreams.URLs(url)}), newServices(t, upstreams.Source{URLs: upstreams.URLs(url), ProxyFromEnvironment: true})
	read, stricter := 0, 0
	for n, text := range answers {
		ours, theirs := readAnswer(t, own, n), readAnswer(t, standard, n)
		if want, ok := table[text]; ok && (ours != want || theirs != want) {
			t.Errorf("%.200q: read as %+v, and by net/http as %+v, want %+v", text, ours, theirs, want)
			continue
		}
		switch {
		case ours == theirs:
			if ours.err == "" {
				read++
			}
		case theirs.err == "" && ours.err == unreadable:
			stricter++
		case theirs.err != "" && ours.err != "" && text != "" && ours.err != outOfReach && theirs.err != outOfReach:
			// One has found that the answer is malformed before the other has found that it breaks off.
		default:
			t.Errorf("%.300q: read as %+v, and by net/http as %+v", text, ours, theirs)
		}
	}
	t.Logf("tried %d answers: both read %d of them, and net/http %d more", len(answers), read, stricter)
	if read < len(answers)/5 {
		t.Error("too few of the answers are readable")
	}
}

// mutate returns an answer with a few random changes of the kind that servers and attackers make.
func mutate(random *rand.Rand, text string) string {
	pieces := []string{
		"\r\n", "\n", "\r", " ", "\t", ":", ",", ";", "0", "2", "00", "-", "+", "\x00", "\xff", "chunked", "gzip", "identity", "close", "{}",
		"Content-Length: 2\r\n", "Content-Length: 3\r\n", "content-length : 2\r\n", "Transfer-Encoding: chunked\r\n", "transfer-encoding:\tchunked \r\n",
		"Transfer-Encoding: identity\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "Content-Encoding: gzip\r\n", "Content-Encoding: identity\r\n",
		"X: y\r\n", " folded\r\n", "Trailer: X\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.0", "HTTP/1.1 200 OK\r\n", "2\r\n{}\r\n", "0\r\n\r\n",
	}
	text = text[:min(len(text), 2000)]
	for range 1 + random.IntN(3) {
		at := random.IntN(len(text) + 1)
		switch random.IntN(5) {
		case 0: // insert
			text = text[:at] + pieces[random.IntN(len(pieces))] + text[at:]
		case 1: // insert a line
			if i := strings.Index(text[at:], "\n"); i >= 0 {
				text = text[:at+i+1] + pieces[random.IntN(len(pieces))] + text[at+i+1:]
			}
		case 2: // remove
			text = text[:at] + text[min(len(text), at+1+random.IntN(4)):]
		case 3: // repeat a part
			end := min(len(text), at+1+random.IntN(30))
			text = text[:end] + text[at:end] + text[end:]
		case 4: // another letter case
			end := min(len(text), at+1+random.IntN(20))
			text = text[:at] + strings.ToUpper(text[at:end]) + text[end:]
		}
	}
	return text
}

// What Fetch reads of the bodies that services send, whatever their Content-Type says. The cause of
// an error, which is for the log, shows the beginning of what is not JSON.
func TestBodiesOfAnswers(t *testing.T) {
	const (
		notJSON = unreadable
		unfit   = "the service's answer does not fit the graph"
		empty   = "the service's answer is empty"
	)
	deep := strings.Repeat("[", 600) + strings.Repeat("]", 600)
	for name, c := range map[string]struct {
		status      int
		contentType string
		body        string
		want        string // the value, or the message of the error
		cause       string // a part of the cause
	}{
		"JSON":                       {200, "application/json", `{"a": 1}`, "1", ""},
		"JSON as HTML":               {200, "text/html", `{"a": 1}`, "1", ""},
		"JSON as text/json":          {200, "text/json", `{"a": 1}`, "1", ""},
		"JSON of another kind":       {200, "application/vnd.api+json; ext=x", `{"a": 1}`, "1", ""},
		"no type":                    {200, "", `{"a": 1}`, "1", ""},
		"a type that is none":        {200, ";;;", `{"a": 1}`, "1", ""},
		"a byte order mark":          {200, "application/json", "\xef\xbb\xbf{\"a\": 1}", "1", ""},
		"white space":                {200, "application/json", " \r\n\t{\"a\": 1}\r\n\n ", "1", ""},
		"a second byte order mark":   {200, "application/json", "\xef\xbb\xbf\xef\xbb\xbf{\"a\": 1}", notJSON, "not well-formed"},
		"201":                        {201, "application/json", `{"a": 1}`, "1", ""},
		"a member twice":             {200, "application/json", `{"a": 1, "a": 2}`, "2", ""},
		"null":                       {200, "application/json", `null`, "null", ""},
		"no member":                  {200, "application/json", `{}`, "null", ""},
		"204":                        {204, "", "", "null", ""},
		"205":                        {205, "", "", "null", ""},
		"empty":                      {200, "application/json", "", empty, "without a body"},
		"white space alone":          {200, "application/json", " \n", empty, "without a body"},
		"a mark alone":               {200, "application/json", "\xef\xbb\xbf", empty, "without a body"},
		"another type":               {200, "application/json", `{"a": "1"}`, unfit, "a string where an Int"},
		"a list":                     {200, "application/json", `[]`, unfit, "a list where an object"},
		"a huge number":              {200, "application/json", `{"a": 1e999999999999}`, unfit, "is not an Int"},
		"a number of many digits":    {200, "application/json", `{"a": ` + strings.Repeat("9", 1000) + `}`, unfit, "is not an Int"},
		"more after it":              {200, "application/json", `{"a": 1} x`, notJSON, `unexpected text after the value; the response of 10 bytes, "application/json", begins with "{\"a\": 1} x"`},
		"NDJSON":                     {200, "application/x-ndjson", "{\"a\": 1}\n{\"a\": 2}\n", notJSON, `unexpected text after the value; the response of 18 bytes, "application/x-ndjson"`},
		"a NUL after it":             {200, "application/json", "{\"a\": 1}\x00", notJSON, `\x00`},
		"HTML":                       {200, "text/html; charset=utf-8", "<!DOCTYPE html>\n<title>\x1b[31mLogin</title>", notJSON, `"text/html; charset=utf-8", begins with "<!DOCTYPE html>\n<title>\x1b[31mLogin</title>"`},
		"an unclosed object":         {200, "application/json", `{"a": 1`, notJSON, "is missing"},
		"NaN":                        {200, "application/json", `{"a": NaN}`, notJSON, "not well-formed"},
		"NaN elsewhere":              {200, "application/json", `{"b": NaN, "a": 1}`, notJSON, "not well-formed"},
		"a comment":                  {200, "application/json", `{"a": 1 /* one */}`, notJSON, "is missing"},
		"a trailing comma":           {200, "application/json", `{"a": 1,}`, notJSON, "the name of a member"},
		"a prefix against scripts":   {200, "application/json", ")]}',\n{\"a\": 1}", notJSON, "not well-formed"},
		"nested deeply":              {200, "application/json", `{"a": 1, "b": ` + deep + `}`, notJSON, "nested deeper"},
		"not UTF-8 elsewhere":        {200, "application/json", "{\"b\": \"\xff\", \"a\": 1}", "1", ""},
		"half a surrogate elsewhere": {200, "application/json", `{"b": "\ud800", "a": 1}`, "1", ""},
	} {
		s := newServices(t, upstreams.Source{URLs: upstreams.URLs(newReplica(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{c.contentType}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}).URL)})
		a, err := upstreams.Fetch(t.Context(), s, "users", rest.New(http.MethodGet, "/x"), decode.NullOf(decode.Member("a", decode.PtrOf((*decode.Decoder).Int))))
		got, cause := "null", ""
		if f, ok := errors.AsType[*fault.Error](err); ok {
			got, cause = f.Message, f.Cause.Error()
		} else if a != nil {
			got = strconv.Itoa(*a)
		}
		if got != c.want || !strings.Contains(cause, c.cause) {
			t.Errorf("%s: %s, want %s (%v)", name, got, c.want, err)
		}
	}
}
