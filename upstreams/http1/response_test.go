package http1_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
)

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

// What http1 does with a response.
const (
	reused   = "reused"   // it is accepted, and its connection serves the next call
	closed   = "closed"   // it is accepted, and its connection is closed
	refused  = "refused"  // it is an error, as with net/http
	stricter = "stricter" // it is an error, but net/http accepts it
)

// Unusual, malformed and malicious responses, compared with net/http.
func TestResponsesLikeNetHTTP(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	chunked := ok + "Transfer-Encoding: chunked\r\n"
	many := strings.Repeat("X: "+strings.Repeat("a", 1000)+"\r\n", 300)
	for name, test := range map[string]struct {
		answer string
		want   string
		method string // GET
		hangUp bool   // the server closes the connection after the response
	}{
		"length":                    {answer: ok + "Content-Length: 2\r\n\r\n{}", want: reused},
		"no body":                   {answer: ok + "Content-Length: 0\r\n\r\n", want: reused},
		"no header, until closed":   {answer: ok + "\r\n{}", want: closed, hangUp: true},
		"header, until closed":      {answer: ok + "A: b\r\n\r\n{}", want: closed, hangUp: true},
		"until closed, nothing":     {answer: ok + "\r\n", want: closed, hangUp: true},
		"names in any case":         {answer: ok + "content-LENGTH: 2\r\nx-own: 1\r\nX-Own: 2\r\n\r\n{}", want: reused},
		"white space":               {answer: ok + "Content-Length: \t 2 \t\r\nX-Empty:\r\nX-None:   \r\n\r\n{}", want: reused},
		"bare LF":                   {answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", want: reused},
		"no reason":                 {answer: "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", want: reused},
		"empty reason":              {answer: "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}", want: reused},
		"strange reason":            {answer: "HTTP/1.1 599 h\u00e9 : x\r\nContent-Length: 2\r\n\r\n{}", want: reused},
		"bytes above ASCII":         {answer: ok + "X: \xff\xfe\r\nContent-Length: 0\r\n\r\n", want: reused},
		"told to close":             {answer: ok + "Content-Length: 2\r\nConnection: foo, CLOSE\r\n\r\n{}", want: closed},
		"told to close, 2nd line":   {answer: ok + "Content-Length: 2\r\nConnection: foo\r\nConnection: close\r\n\r\n{}", want: closed},
		"HTTP/1.0":                  {answer: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", want: closed},
		"HTTP/1.0, keep-alive":      {answer: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n{}", want: reused},
		"HTTP/1.0, until closed":    {answer: "HTTP/1.0 200 OK\r\n\r\n{}", want: closed, hangUp: true},
		"HTTP/1.0, keep, no length": {answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n{}", want: closed, hangUp: true},
		"HTTP/1.0, chunked":         {answer: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", want: stricter, hangUp: true},

		"interim":                     {answer: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}", want: reused},
		"interim with framing":        {answer: "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}", want: reused},
		"interim and no more":         {answer: "HTTP/1.1 100 Continue\r\n\r\n", want: refused, hangUp: true},
		"endless interim":             {answer: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 10000) + ok + "Content-Length: 0\r\n\r\n", want: refused, hangUp: true},
		"other protocol":              {answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", want: stricter, hangUp: true},
		"status with too few":         {answer: "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", want: refused},
		"status with too many":        {answer: "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", want: refused},
		"status that is not a number": {answer: "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", want: refused},
		"status with a sign":          {answer: "HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n", want: stricter},
		"status below 100":            {answer: "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", want: stricter},
		"two spaces":                  {answer: "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", want: reused},
		"HTTP/2":                      {answer: "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", want: stricter},
		"HTTP/1.10":                   {answer: "HTTP/1.10 200 OK\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"other letters":               {answer: "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"empty line first":            {answer: "\r\n" + ok + "Content-Length: 2\r\n\r\n{}", want: refused},
		"no HTTP":                     {answer: "SSH-2.0-OpenSSH_9.9\r\n\r\n", want: refused},
		"nothing":                     {answer: "", want: refused, hangUp: true},
		"half a status line":          {answer: "HTTP/1.1 20", want: refused, hangUp: true},
		"half a header":               {answer: ok + "Conte", want: refused, hangUp: true},
		"no end of header":            {answer: ok + "Content-Length: 0\r\n", want: refused, hangUp: true},

		"length with a sign":           {answer: ok + "Content-Length: +2\r\n\r\n{}", want: refused},
		"negative length":              {answer: ok + "Content-Length: -2\r\n\r\n{}", want: refused},
		"hexadecimal length":           {answer: ok + "Content-Length: 0x2\r\n\r\n{}", want: refused},
		"empty length":                 {answer: ok + "Content-Length:\r\n\r\n{}", want: refused},
		"length of two words":          {answer: ok + "Content-Length: 2 2\r\n\r\n{}", want: refused},
		"list of lengths":              {answer: ok + "Content-Length: 2, 2\r\n\r\n{}", want: refused},
		"length with _":                {answer: ok + "Content-Length: 1_0\r\n\r\n{}", want: refused},
		"length beyond 63 bits":        {answer: ok + "Content-Length: 9223372036854775808\r\n\r\n{}", want: refused},
		"lengths that differ":          {answer: ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}}", want: refused},
		"lengths that differ in zeros": {answer: ok + "Content-Length: 2\r\nContent-Length: 02\r\n\r\n{}", want: refused},
		"the same length twice":        {answer: ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", want: reused},
		"broken off":                   {answer: ok + "Content-Length: 3\r\n\r\n{}", want: refused, hangUp: true},
		"more than was said":           {answer: ok + "Content-Length: 2\r\n\r\n{}}", want: closed},
		"a second answer":              {answer: ok + "Content-Length: 2\r\n\r\n{}" + ok + "Content-Length: 5\r\n\r\nother", want: closed},

		"chunks":                 {answer: chunked + "\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", want: reused},
		"no chunk":               {answer: chunked + "\r\n0\r\n\r\n", want: reused},
		"chunked in capitals":    {answer: ok + "Transfer-Encoding: CHUNKED\r\n\r\n2\r\n{}\r\n0\r\n\r\n", want: reused},
		"extensions":             {answer: chunked + "\r\n2;a=b;c=\"d\"\r\n{}\r\n0;e\r\n\r\n", want: reused},
		"trailers":               {answer: chunked + "Trailer: X-Sum\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n", want: reused},
		"bare LF at the end":     {answer: chunked + "\r\n2\r\n{}\r\n0\r\n\n", want: refused, hangUp: true},
		"bare LF and more":       {answer: chunked + "\r\n2\r\n{}\r\n0\r\n\n\r\n\r\n", want: stricter},
		"bad trailer":            {answer: chunked + "\r\n2\r\n{}\r\n0\r\nno colon\r\n\r\n", want: refused},
		"endless trailers":       {answer: chunked + "\r\n2\r\n{}\r\n0\r\n" + many, want: refused, hangUp: true},
		"trailers that break":    {answer: chunked + "\r\n2\r\n{}\r\n0\r\nX: 1\r\n", want: refused, hangUp: true},
		"chunks without end":     {answer: chunked + "\r\n2\r\n{}\r\n", want: refused, hangUp: true},
		"chunk broken off":       {answer: chunked + "\r\n5\r\n{}", want: refused, hangUp: true},
		"chunk longer than said": {answer: chunked + "\r\n1\r\n{}\r\n0\r\n\r\n", want: refused},
		"chunk size: no number":  {answer: chunked + "\r\nx\r\n{}\r\n0\r\n\r\n", want: refused},
		"chunk size: a sign":     {answer: chunked + "\r\n+2\r\n{}\r\n0\r\n\r\n", want: refused},
		"chunk size: 0x":         {answer: chunked + "\r\n0x2\r\n{}\r\n0\r\n\r\n", want: refused},
		"chunk size: too large":  {answer: chunked + "\r\n10000000000000002\r\n{}\r\n0\r\n\r\n", want: refused},
		"chunk size: bare LF":    {answer: chunked + "\r\n2\n{}\r\n0\r\n\r\n", want: refused},
		"endless extension":      {answer: chunked + "\r\n2;" + strings.Repeat("a", 10000) + "\r\n{}\r\n0\r\n\r\n", want: refused},
		"bytes after the chunks": {answer: chunked + "\r\n2\r\n{}\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n", want: closed},
		"length and chunks":      {answer: chunked + "Content-Length: 5\r\n\r\n2\r\n{}\r\n0\r\n\r\n", want: closed},
		"other coding":           {answer: ok + "Transfer-Encoding: gzip\r\n\r\n{}", want: refused, hangUp: true},
		"two codings":            {answer: ok + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", want: refused},
		"chunked twice":          {answer: chunked + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", want: refused},
		"identity":               {answer: ok + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"coding with a tab":      {answer: ok + "Transfer-Encoding: \vchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", want: refused},
		"empty coding":           {answer: ok + "Transfer-Encoding:\r\nContent-Length: 2\r\n\r\n{}", want: refused},

		"folded":                    {answer: ok + "X: a\r\n b\r\n\t c \r\nContent-Length: 2\r\n\r\n{}", want: closed},
		"folded, empty before":      {answer: ok + "X:\r\n b\r\nContent-Length: 2\r\n\r\n{}", want: closed},
		"folded, empty after":       {answer: ok + "X: a\r\n \r\nContent-Length: 2\r\n\r\n{}", want: closed},
		"folded at the end":         {answer: ok + "Content-Length: 2\r\nX: a\n b\r\n\r\n{}", want: closed},
		"folded, bare LF":           {answer: "HTTP/1.1 200 OK\nX: a\n b\nContent-Length: 2\n\n{}", want: closed},
		"folded length":             {answer: ok + "Content-Length:\r\n 2\r\n\r\n{}", want: stricter},
		"folded length, two words":  {answer: ok + "Content-Length: 1\r\n 0\r\n\r\n{}", want: refused},
		"folded coding":             {answer: ok + "Transfer-Encoding:\r\n chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", want: stricter},
		"folded trailer":            {answer: chunked + "\r\n2\r\n{}\r\n0\r\nX: a\r\n b\r\n\r\n", want: stricter},
		"coding with a space":       {answer: ok + "Transfer-Encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", want: stricter, hangUp: true},
		"coding with a space in it": {answer: ok + "Transfer- Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", want: stricter},
		"folded first":              {answer: ok + " X: a\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"no colon":                  {answer: ok + "X\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"no name":                   {answer: ok + ": x\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"space before the colon":    {answer: ok + "X-A : x\r\nContent-Length: 2\r\n\r\n{}", want: closed},
		"length before the colon":   {answer: ok + "Content-Length : 2\r\n\r\n{}", want: stricter, hangUp: true},
		"space in a name":           {answer: ok + "X A: x\r\nContent-Length: 2\r\n\r\n{}", want: closed},
		"bracket in a name":         {answer: ok + "X(A: x\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"name above ASCII":          {answer: ok + "X\xc3\xa9: x\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"NUL in a value":            {answer: ok + "X: a\x00b\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"CR in a value":             {answer: ok + "X: a\rb\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"CR CR LF":                  {answer: ok + "X: a\r\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"DEL in a value":            {answer: ok + "X: a\x7fb\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"control in the reason":     {answer: "HTTP/1.1 200 O\x00K\r\nContent-Length: 2\r\n\r\n{}", want: stricter},
		"one endless header":        {answer: ok + "X: " + strings.Repeat("a", 300<<10) + "\r\n\r\n", want: refused, hangUp: true},
		"endless headers":           {answer: ok + many + "Content-Length: 2\r\n\r\n{}", want: refused, hangUp: true},
		"headers of 200 kB":         {answer: ok + many[:200000-200000%1005] + "Content-Length: 2\r\n\r\n{}", want: reused},
		"one header of 200 kB":      {answer: ok + "X: " + strings.Repeat("a", 200000) + "\r\nContent-Length: 2\r\n\r\n{}", want: reused},
		"204":                       {answer: "HTTP/1.1 204 No Content\r\n\r\n", want: reused},
		"204 with a length":         {answer: "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", want: closed},
		"204 with a body":           {answer: "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}", want: closed},
		"204, chunked":              {answer: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", want: closed},
		"304 with a length":         {answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", want: reused},
		"304 with a body":           {answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n{}", want: closed},
		"HEAD":                      {method: http.MethodHead, answer: ok + "Content-Length: 2\r\n\r\n", want: reused},
		"HEAD, no length":           {method: http.MethodHead, answer: ok + "A: b\r\n\r\n", want: reused},
		"HEAD, chunked":             {method: http.MethodHead, answer: chunked + "\r\n", want: reused},
		"HEAD with a body":          {method: http.MethodHead, answer: ok + "Content-Length: 2\r\n\r\n{}", want: closed},
		"HEAD, gzip":                {method: http.MethodHead, answer: ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n", want: reused},
		"gzip":                      {answer: ok + "Content-Encoding: gzip\r\nContent-Length: 27\r\n\r\n" + gzipped("abc"), want: reused},
		"gzip, chunked":             {answer: chunked + "Content-Encoding: GZIP\r\n\r\n1b\r\n" + gzipped("abc") + "\r\n0\r\n\r\n", want: reused},
		"gzip, nothing in it":       {answer: ok + "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", want: reused},
		"gzip, chunked, nothing":    {answer: chunked + "Content-Encoding: gzip\r\n\r\n0\r\n\r\n", want: reused},
		"gzip that is none":         {answer: ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", want: refused},
		"gzip broken off":           {answer: ok + "Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + gzipped("abc")[:20], want: refused},
		"gzip with more behind":     {answer: ok + "Content-Encoding: gzip\r\nContent-Length: 30\r\n\r\n" + gzipped("abc") + "abc", want: refused},
		"other encoding":            {answer: ok + "Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", want: reused},
		"gzip and until closed":     {answer: ok + "Content-Encoding: gzip\r\n\r\n" + gzipped("abc"), want: closed, hangUp: true},
		"until closed after length": {answer: ok + "Content-Length: 2\r\n\r\n{}", want: closed, hangUp: true},
	} {
		t.Run(name, func(t *testing.T) {
			server := answering(t, test.answer, test.hangUp)
			method := test.method
			if method == "" {
				method = http.MethodGet
			}
			standard := &http.Transport{MaxResponseHeaderBytes: 256 << 10}
			defer standard.CloseIdleConnections()
			theirs, theirBody, theirErr := get(t, standard, method, server.url)
			before := server.accepted.Load()
			own := newTransport(t, http1.Options{})
			ours, body, err := get(t, own, method, server.url)

			if wantErr, wantTheirs := test.want == refused || test.want == stricter, test.want == refused; (err != nil) != wantErr || (theirErr != nil) != wantTheirs {
				t.Fatalf("%s, but we say %v, and net/http %v", test.want, err, theirErr)
			}
			if err != nil {
				return
			}
			if body != theirBody {
				t.Errorf("the body is %q, and net/http's %q", body, theirBody)
			}
			for _, r := range []*http.Response{ours, theirs} {
				r.Trailer, r.Request, r.Body, r.Close = nil, nil, nil, false
			}
			opts := cmp.AllowUnexported(http.Response{})
			if diff := cmp.Diff(theirs, ours, opts); diff != "" {
				t.Errorf("net/http's answer (-) and ours (+):\n%s", diff)
			}
			// The second call reuses the connection of the first, or opens another.
			again, body2, err := get(t, own, method, server.url)
			if err != nil || body2 != body || again.StatusCode != ours.StatusCode {
				t.Errorf("the second answer is %q, %v", body2, err)
			}
			want := int64(1)
			if test.want == closed {
				want = 2
			}
			if n := server.accepted.Load() - before; n != want {
				t.Errorf("%d connections for two calls, want %d", n, want)
			}
		})
	}
}

// The memory for a head is not a large multiple of its bytes, whatever its lines are.
func TestHeadsTakeLittleMemory(t *testing.T) {
	for name, line := range map[string]string{"no header": "x\n", "empty ones": "x:\n"} {
		const size = 200 << 10
		server := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"+strings.Repeat(line, size/len(line))+"\r\n", true)
		transport := newTransport(t, http1.Options{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, _ = get(t, transport, http.MethodGet, server.url)
		runtime.ReadMemStats(&after)
		// The server's copies are included.
		if took := after.TotalAlloc - before.TotalAlloc; took > 50*size {
			t.Errorf("%s: a head of %d bytes took %d", name, size, took)
		}
	}
}
