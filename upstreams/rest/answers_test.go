package rest_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

func encoded(t testing.TB, text string, encodings ...string) string {
	t.Helper()
	for _, encoding := range encodings {
		var b bytes.Buffer
		var w io.WriteCloser
		switch encoding {
		case "gzip":
			w = gzip.NewWriter(&b)
		case "zlib":
			w = zlib.NewWriter(&b)
		case "flate":
			w, _ = flate.NewWriter(&b, 5)
		}
		io.WriteString(w, text)
		w.Close()
		text = b.String()
	}
	return text
}

func inUTF16(text string, bigEndian bool) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(text)) {
		if bigEndian {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

const (
	unreadable = "the service's answer cannot be read"
	brokenOff  = "the service broke off its answer"
	tooLarge   = "the service's answer is too large"
)

// Bodies in the content encodings and charsets that services use, each with its length and in
// chunks, as a success and as an error.
func TestEncodingsOfAnswers(t *testing.T) {
	const text = `{"name":"Zoë € 𝄞"}`
	latin := "{\"name\":\"Zo\xeb \x80\"}"
	const latinText = `{"name":"Zoë €"}`
	for name, c := range map[string]struct {
		encoding    []string
		contentType string
		body        string
		want        string // the body, or the message of the error
	}{
		"none":                     {nil, "application/json", text, text},
		"identity":                 {[]string{"identity"}, "application/json", text, text},
		"identity in capitals":     {[]string{"IDENTITY"}, "", text, text},
		"empty":                    {[]string{""}, "", text, text},
		"gzip":                     {[]string{"gzip"}, "", encoded(t, text, "gzip"), text},
		"GZIP":                     {[]string{"GZIP"}, "", encoded(t, text, "gzip"), text},
		"x-gzip":                   {[]string{"x-gzip"}, "", encoded(t, text, "gzip"), text},
		"X-GZip":                   {[]string{" X-GZip "}, "", encoded(t, text, "gzip"), text},
		"gzip, gzip":               {[]string{"gzip, gzip"}, "", encoded(t, text, "gzip", "gzip"), text},
		"gzip,identity":            {[]string{"gzip,identity"}, "", encoded(t, text, "gzip"), text},
		"two lines":                {[]string{"deflate", "x-gzip"}, "", encoded(t, text, "zlib", "gzip"), text},
		"three":                    {[]string{"gzip, deflate, gzip"}, "", encoded(t, text, "gzip", "flate", "gzip"), text},
		"four":                     {[]string{"gzip, gzip, gzip, gzip"}, "", encoded(t, text, "gzip", "gzip", "gzip", "gzip"), unreadable},
		"empty elements":           {[]string{", gzip ,, "}, "", encoded(t, text, "gzip"), text},
		"deflate with zlib":        {[]string{"deflate"}, "", encoded(t, text, "zlib"), text},
		"deflate without":          {[]string{"Deflate"}, "", encoded(t, text, "flate"), text},
		"two gzips after another":  {[]string{"x-gzip"}, "", encoded(t, text[:5], "gzip") + encoded(t, text[5:], "gzip"), text},
		"br":                       {[]string{"br"}, "", text, unreadable},
		"zstd":                     {[]string{"zstd"}, "", text, unreadable},
		"x-compress":               {[]string{"x-compress"}, "", text, unreadable},
		"gzip, br":                 {[]string{"gzip, br"}, "", text, unreadable},
		"gzip that is none":        {[]string{"x-gzip"}, "", text, unreadable},
		"deflate that is none":     {[]string{"deflate"}, "", text, unreadable},
		"gzip broken off":          {[]string{"x-gzip"}, "", encoded(t, text, "gzip")[:20], brokenOff},
		"gzip, wrong sum":          {[]string{"x-gzip"}, "", encoded(t, text, "gzip")[:len(encoded(t, text, "gzip"))-8] + "12345678", unreadable},
		"zlib, wrong sum":          {[]string{"deflate"}, "", encoded(t, text, "zlib")[:len(encoded(t, text, "zlib"))-4] + "1234", unreadable},
		"deflate of one byte":      {[]string{"deflate"}, "", "x", brokenOff},
		"a bomb":                   {[]string{"x-gzip"}, "", encoded(t, strings.Repeat(" ", 3<<20), "gzip"), tooLarge},
		"a bomb in a bomb":         {[]string{"gzip, gzip"}, "", encoded(t, strings.Repeat(" ", 20<<20), "gzip", "gzip"), tooLarge},
		"empty members in a bomb":  {[]string{"gzip, gzip"}, "", encoded(t, strings.Repeat(encoded(t, "", "gzip"), 400_000), "gzip"), tooLarge},
		"UTF-8 mark":               {nil, "application/json", "\xef\xbb\xbf" + text, text},
		"UTF-8 mark, gzip":         {[]string{"x-gzip"}, "", encoded(t, "\xef\xbb\xbf"+text, "gzip"), text},
		"UTF-8 mark alone":         {nil, "", "\xef\xbb\xbf", ""},
		"UTF-16 BE mark":           {nil, "", "\xfe\xff" + inUTF16(text, true), text},
		"UTF-16 LE mark":           {nil, "application/json; charset=utf-8", "\xff\xfe" + inUTF16(text, false), text},
		"UTF-16":                   {nil, "application/json;charset=UTF-16", inUTF16(text, true), text},
		"UTF-16BE":                 {nil, "application/json;charset=utf-16be", inUTF16(text, true), text},
		"UTF-16LE":                 {nil, `application/json; charset="UTF-16LE"`, inUTF16(text, false), text},
		"UTF-16, odd":              {nil, "", "\xfe\xff" + inUTF16(text, true) + "x", unreadable},
		"charset utf-8":            {nil, "application/json; charset=utf-8", text, text},
		"charset UTF8":             {nil, "application/json; charset=UTF8", text, text},
		"charset in quotes":        {nil, `application/json; charset="utf-8"`, text, text},
		"charset and others":       {nil, `application/json; charset=utf-8; profile="x"`, text, text},
		"charset not well-formed":  {nil, `application/json; charset=`, text, text},
		"Latin-1":                  {nil, "application/json;charset=ISO-8859-1", latin, latinText},
		"windows-1252":             {nil, "text/plain; charset=windows-1252", latin, latinText},
		"Latin-1 that is UTF-8":    {nil, "application/json;charset=ISO-8859-1", text, text},
		"other, and UTF-8":         {nil, "application/json;charset=shift_jis", text, text},
		"other":                    {nil, "application/json;charset=shift_jis", latin, unreadable},
		"no charset, not UTF-8":    {nil, "application/json", latin, latin},
		"HTML that says it is one": {nil, "text/html", text, text},
	} {
		for _, chunked := range []bool{false, true} {
			status := http.StatusOK
			client, _ := newService(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Encoding"] = c.encoding
				w.Header()["Content-Type"] = []string{c.contentType}
				w.WriteHeader(status)
				if chunked {
					http.NewResponseController(w).Flush()
				}
				io.WriteString(w, c.body)
			})
			client.MaxResponse = 2 << 20
			resp, err := client.Do(t.Context(), get("/x"))
			got := ""
			if err == nil {
				got = string(resp.Body)
			} else {
				got = faultOf(t, client, err, fault.DownstreamService).Message
			}
			if got != c.want {
				t.Errorf("%s, chunked %t: %.100q, want %q (%v)", name, chunked, got, c.want, err)
			}
			// An error keeps its status, with what can be read of its body.
			status = http.StatusTeapot
			_, err = client.Do(t.Context(), get("/x"))
			if f := faultOf(t, client, err, fault.DownstreamService); f.Status != status {
				t.Errorf("%s, chunked %t: %v", name, chunked, err)
			} else if cause := f.Cause.(*rest.StatusError); c.want == text && string(cause.Response.Body) != text {
				t.Errorf("%s, chunked %t: the body of an error is %.100q", name, chunked, cause.Response.Body)
			}
		}
	}
}
