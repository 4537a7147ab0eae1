package redact

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// secret is what no text may still hold; X stands for it in the forms.
const secret = "s3cretS3cret0123"

// formsOfText are texts with a secret.
var formsOfText = []string{
	"Bearer X", "bearer X", "BEARER  X", "Bearer%20X", "Basic X==", "token: X", "Authorization: Bearer X", "authorization: X",
	"Authorization: Digest username=\"u\", response=\"X\"", "Proxy-Authorization: Basic X", "Cookie: a=1; session=X", "Set-Cookie: sid=X; HttpOnly",
	"X-Api-Key: X", "x-api-key: X", "X-Auth-Token: a X", "api-key: X", "map[Authorization:[Bearer X] A:[b]]", "map[X-Api-Key:[X]]",
	`{"password":"X"}`, `{"password" : "X"}`, `{"user":"u","secret":"X","a":1}`, `{"token":"X"`, `{"access_token":"X","refresh_token":"X"}`,
	`{"accessToken":"X"}`, `{"client_secret":"a\"X"}`, `{"apiKey":"X"}`, `{"api_key":"X"}`, `{"api-key":"X"}`, `{"Password":"X"}`,
	`{"id_token":"X"}`, `{"db.password":"X"}`, `{"aws_secret_access_key":"X"}`, `{"private_key":"X"}`, `{"passwd":"X"}`, `{"credentials":{"a":"X"}}`,
	`{"password":["X","X"]}`, `{"authorization":"Bearer X"}`, `{"headers":{"cookie":"a=b; c=X"}}`, `{'password': 'X'}`, `{"session_id":"X"}`,
	"https://user:X@host/path", "https://X@host", "postgres://u:X@db:5432/x", `https:\/\/u:X@host`,
	"GET /a?token=X", "/a?b=1&access_token=X&c=2", "/a?api_key=X", "/a?client_secret=X#f", "password=X", "password = X", "/a?X-Amz-Signature=X", "a?token%3DX",
	`{"name":"Authorization","value":"Token X"}`, `{"key" : "api_key" , "value" : "X"}`, `["authorization","Token X"]`, "('Cookie', 'a=X')",
	"<password>X</password>", "&quot;password&quot;:&quot;X&quot;", "Authorization: Bearer\n  X", "Authorization: Token\r\n\tX", "password: |\n  X",
	"Bearer\nX", "Bearer\tX", `Bearer "X"`, "Bearer <X>", "bearer=X", `Bearer\u0020X`, "ApiKey X", "JSESSIONID=X", "PHPSESSID=X", "connect.sid=X",
	"eyJX.eyJX.X", "id is eyJX", "-----BEGIN RSA PRIVATE KEY-----\nX\n-----END RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nX", "ghp_X", "sk_live_X", "xoxb-X", "glpat-X",
}

func TestForms(t *testing.T) {
	for _, form := range formsOfText {
		text := strings.ReplaceAll(form, "X", secret)
		if strings.HasPrefix(form, "X-") || strings.Contains(form, "X-A") {
			text = strings.ReplaceAll(strings.ReplaceAll(form, "X-A", "\x00"), "X", secret)
			text = strings.ReplaceAll(text, "\x00", "X-A")
		}
		quoted := strconv.Quote(text)
		for _, written := range []string{text, "401: " + text, "401: " + text + " and more", quoted, strconv.Quote(quoted), "failed: " + quoted + ": and more"} {
			if got := Text(written); strings.Contains(got, secret) || !strings.Contains(got, Mask) {
				t.Errorf("%s became %s", written, got)
			}
			if form == "https://X@host" {
				continue // cut off, it is a host
			}
			cut := written[:strings.LastIndex(written, secret)+len(secret)]
			if got := Text(cut); strings.Contains(got, secret) {
				t.Errorf("%s became %s", cut, got)
			}
		}
	}
	if got := Text("key AKIAIOSFODNN7EXAMPLE is known"); got != "key [redacted] is known" {
		t.Error(got)
	}
}

func TestHarmlessTextsStay(t *testing.T) {
	for _, text := range []string{
		"", "operation", "the service cannot be reached", "dial tcp 127.0.0.1:4001: connect: connection refused", "GET /users/{}: 404 Not Found: \"{\\\"detail\\\":\\\"no such user\\\"}\"",
		"the document has more than 2000 tokens, which is the limit", `{"tokens": 2000}`, `{"token": null}`, "axyyscixgxganx7pgh6n25ur", "https://host/path?q=1", "github.com/99designs/gqlgen@v0.17.80/graphql/handler.go:12", "user@host", "a design: @connect(source: users.example)",
		"the password is wrong", "at $.items[3]: the object's id is \"u2\", but \"u1\" was asked for", "DOWNSTREAM_SERVICE_ERROR,NOT_FOUND", "context deadline exceeded", "a secret, a token",
		`{"missing":["password","email"]}`, "the document has a name of more than 256 bytes", "secret-less",
	} {
		if got := Text(text); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func TestWhatSurroundsASecretStays(t *testing.T) {
	for text, want := range map[string]string{
		`{"user":"u","password":"p@ss \"x\"","age":3}`:         `{"user":"u","password":"[redacted]","age":3}`,
		`"{\"password\":\"a\\\"b\",\"age\":3}" and more`:       `"{\"password\":\"[redacted]\",\"age\":3}" and more`,
		"GET /a?x=1&token=abc&y=2: failed":                     "GET /a?x=1&token=[redacted]&y=2: failed",
		"https://u:p@host/a":                                   "https://[redacted]@host/a",
		"Cookie: a=b; c=d\r\nHost: h":                          "Cookie: [redacted]\r\nHost: h",
		`got map[Authorization:[Bearer abcdef] Accept:[text]]`: `got map[Authorization:[redacted] Accept:[text]]`,
		"<a href='mailto:joe.doe@mail.example.com'>Joe</a>":    "<a href='mailto:[redacted]'>Joe</a>",
		`{"email":"a+b@c.io","to":"x%40y.org"}`:                `{"email":"[redacted]","to":"[redacted]"}`,
		"GET /a?se=2030&sig=aGVsbG8%3D&sp=r":                   "GET /a?se=2030&sig=[redacted]&sp=r",
		"Bearer abcdef is invalid":                             "Bearer [redacted] is invalid",
	} {
		if got := Text(text); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}

func TestKnownSecrets(t *testing.T) {
	const odd = `pä"ss/w ord&1+2`
	known := Variants("Bearer "+secret, odd, "short", "tiny")
	for _, text := range []string{
		secret, "x" + secret + "y", secret[:14], "a " + secret[:12] + " b", odd, strconv.Quote(odd), url.QueryEscape(odd), url.PathEscape(odd), fmt.Sprintf("%q", []string{odd}),
	} {
		if got := Text(text, known...); !strings.Contains(got, Mask) || strings.Contains(got, secret[:12]) || strings.Contains(got, "ord") {
			t.Errorf("%s became %s", text, got)
		}
	}
	if got := Text("short tiny", known...); got != "short tiny" {
		t.Errorf("became %s", got)
	}
}

// A service echoes what it got in the forms of its own language and logger.
func TestKnownSecretsInOtherForms(t *testing.T) {
	const sent = "Bearer s3cr3t/T0k+n.välue=="
	known := Variants(sent, "Basic "+base64.StdEncoding.EncodeToString([]byte("alice:correct horse")), `back\slash"es`)
	for _, text := range []string{
		"S3CR3T/T0K+N.VÄLUE==", `s3cr3t\/T0k+n.välue==`, `s3cr3t\\\/T0k+n.välue==`, `s3cr3t/T0k\u002bn.v\u00e4lue\u003d\u003d`, `s3cr3t\\u002FT0k+n.välue==`,
		"s3cr3t%2fT0k%2bn.v%c3%a4lue%3d%3d", "s3cr3t%252FT0k%252Bn.v%25C3%25A4lue", "s3cr3t&#x2F;T0k&#43;n.v&#228;lue&#61;=",
		base64.StdEncoding.EncodeToString([]byte(sent)), base64.StdEncoding.EncodeToString([]byte(sent[7:])),
		"s3cr3t/T0", `s3cr3t/"`, "alice:correct horse", "correct horse", "correct+horse", "correct%20horse", base64.StdEncoding.EncodeToString([]byte("alice:correct horse")),
		`back\slash"es`, `back\\slash\"es`, "back%5cslash%22es", "back\\slash&quot;es", `"back\\slash&#34;es`,
	} {
		for _, written := range []string{"401: " + text, "401: " + strconv.Quote(text), "401: " + strconv.Quote(strconv.Quote(text))} {
			got := Text(written, known...)
			for _, part := range []string{"t0", "lue", "horse", "correct", "slash", "czNj", "Y29y", "QmVh"} {
				if strings.Contains(strings.ToLower(got), strings.ToLower(part)) {
					t.Errorf("%s became %s", written, got)
				}
			}
		}
	}
	for _, text := range []string{"bearer", "a bearer", "s3cr3", "s3cr3t of another kind", "a horse", "% & \\ &#; %2 &#x;"} {
		if got := Text(text, known...); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

type stringer struct{ Password string }

func (s stringer) String() string { return "password=" + s.Password }

type requestKey struct{}

// Whichever way a secret comes into a record, it does not come out of it.
func TestHandler(t *testing.T) {
	var written bytes.Buffer
	own := func(ctx context.Context) []string { values, _ := ctx.Value(requestKey{}).([]string); return values }
	for name, base := range map[string]slog.Handler{
		"JSON": slog.NewJSONHandler(&written, nil), "text": slog.NewTextHandler(&written, nil),
	} {
		log := Logger(slog.New(base), NewSecrets([]string{"known" + secret}), own)
		ctx := context.WithValue(t.Context(), requestKey{}, []string{"own" + secret + secret})
		wrapped := fmt.Errorf("call: %w", errors.New("GET https://u:"+secret+"@host"))
		for i, write := range []func(){
			func() { log.Info("Bearer " + secret) },
			func() { log.Info("m", "cause", "password="+secret) },
			func() { log.Info("m", "error", wrapped) },
			func() { log.Info("m", "password", secret) },
			func() { log.Info("m", "X-Api-Key", []string{secret}) },
			func() { log.Info("m", "header", http.Header{"Authorization": {"Bearer " + secret}}) },
			func() { log.Info("m", "value", stringer{secret}) },
			func() { log.Info("m", "value", &stringer{secret}) },
			func() { log.Info("m", "body", json.RawMessage(`{"token":"`+secret+`"}`)) },
			func() { log.Info("m", slog.Group("g", "token", secret)) },
			func() { log.With("token", secret).Info("m") },
			func() { log.WithGroup("g").With("cause", "Bearer "+secret).Info("m") },
			func() { log.Info("m", "a", "known"+secret) },
			func() { log.InfoContext(ctx, "own"+secret+secret) },
			func() { log.InfoContext(ctx, "m", "a", "own"+secret+secret) },
			func() { slog.NewLogLogger(log.Handler(), slog.LevelWarn).Print("token=" + secret) },
		} {
			written.Reset()
			write()
			line := written.String()
			if strings.Contains(line, secret) || !strings.Contains(line, Mask) || strings.Count(line, "\n") != 1 {
				t.Errorf("%s %d: %s", name, i, line)
			}
		}
	}
}

func TestRecordsWithoutSecretsStay(t *testing.T) {
	write := func(log *slog.Logger) {
		log.With("a", 1).WithGroup("g").Info("operation", "id", "x", "took", time.Second, "error", errors.New("gone"), "list", []int{1}, slog.Group("h", "b", true))
	}
	drop := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	var plain, clean bytes.Buffer
	write(slog.New(slog.NewJSONHandler(&plain, drop)))
	write(Logger(slog.New(slog.NewJSONHandler(&clean, drop)), nil, nil))
	if plain.String() != clean.String() {
		t.Errorf("%s became %s", plain.String(), clean.String())
	}
}

// FuzzText looks for texts that bring it down, and for known secrets that stay.
func FuzzText(f *testing.F) {
	for _, form := range formsOfText {
		f.Add(form)
	}
	known := Variants(secret)
	f.Fuzz(func(t *testing.T, text string) {
		if got := Text(text+secret+text, known...); strings.Contains(got, secret) {
			t.Errorf("%q became %q", text, got)
		}
	})
}

// The time for a text grows with its length alone, however many secrets are in it.
func BenchmarkHostileText(b *testing.B) {
	known := Variants("Bearer " + strings.Repeat("a", 4000))
	for name, part := range map[string]string{
		"headers": "x-a: 1\n", "folded": "x-a: 1\n ", "names": "token", "known": "aaaaaaaaaaab", "escapes": `\\\\`, "quotes": `"password":"`, "lists": `token=[`,
	} {
		for _, n := range []int{4_000, 40_000} {
			text := strings.Repeat(part, n/len(part))
			b.Run(fmt.Sprint(name, n), func(b *testing.B) {
				for b.Loop() {
					Text(text, known...)
				}
			})
		}
	}
}

func BenchmarkAccessLog(b *testing.B) {
	for name, log := range map[string]*slog.Logger{
		"plain": slog.New(slog.DiscardHandler), "redacted": Logger(slog.New(slog.NewJSONHandler(discard{}, nil)), NewSecrets([]string{secret}), func(context.Context) []string { return []string{"Bearer " + secret} }),
		"JSON": slog.New(slog.NewJSONHandler(discard{}, nil)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				log.LogAttrs(b.Context(), slog.LevelInfo, "operation", slog.String("request_id", "axyyscixgxganx7pgh6n25ur"), slog.String("operation", "Orders"),
					slog.String("type", "query"), slog.Int("status", 200), slog.Float64("duration_ms", 1.5), slog.Int("errors", 0))
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
