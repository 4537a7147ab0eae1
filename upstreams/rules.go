package upstreams

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Rules say how to read a service's answers that are no plain data: what @source and
// @connect have as isSuccess and errors. Each of them may be nil. They are shared by all
// calls, and so must be safe for concurrent use.
type Rules struct {
	// Success decides alone whether an answer is read as data: a 404 may be, and a 200
	// that says {"ok": false} may not. Default: a 2xx is.
	Success func(*Response) bool
	// Message is shown to the client instead of our own text when it is a string with
	// something in it. Of it 1,000 characters are kept, and control characters become
	// spaces. Default none.
	Message func(*Response) any
	// Extensions, when it is an object, is added to those of the error; its code may
	// replace ours, but service and http stay. A null in it says nothing. Strings in it are treated as Message is,
	// and an object of more than 16 KiB is left out. Default none.
	Extensions func(*Response) any
}

const (
	maxText       = 1000     // characters of a service's text that a client sees
	maxExtensions = 16 << 10 // bytes of JSON
)

// Response is an answer as rules see it. It belongs to one goroutine.
type Response struct {
	// Status is the HTTP status, the $status of bindings.
	Status int

	config map[string]string // of the source
	header http.Header
	body   []byte
	parsed bool
	value  any // of body, once parsed
}

func newResponse(config map[string]string, a *rest.Response) *Response {
	return &Response{Status: a.Status, config: config, header: a.Header, body: a.Body}
}

// Config is the value of $config.key, as Services.Config has it.
func (r *Response) Config(key string) any { return nonEmpty(r.config[key]) }

// Header is the value of $response.headers.name, nil when it is absent. The values of a
// header that came several times are joined by commas.
func (r *Response) Header(name string) any {
	values := r.header.Values(name)
	if len(values) == 0 {
		return nil
	}
	return strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
}

// Body is the parsed body, as engine/mapping has it; nil when it is no JSON. Of an
// answer that is no 2xx there are 64 KiB, so that a longer one is no JSON either.
func (r *Response) Body() any {
	if !r.parsed {
		r.parsed = true
		r.value, _ = mapping.Parse(r.body)
	}
	return r.value
}

// ask makes a call and judges its answer by the first of rules that is there.
func (s *Services) ask(ctx context.Context, source string, c *rest.Call, rules []*Rules) (*rest.Response, error) {
	answer, err := s.Do(ctx, source, c)
	if len(rules) == 0 || rules[0] == nil {
		return answer, err
	}
	refusal, refused := errors.AsType[*rest.StatusError](err)
	switch {
	case refused:
		answer = refusal.Response
	case err != nil: // there was no answer
		return nil, err
	}
	return s.judge(rules[0], source, c, answer, !refused)
}

// judge gives the answer or the fault that it stands for. usual is what HTTP says.
func (s *Services) judge(r *Rules, source string, c *rest.Call, a *rest.Response, usual bool) (*rest.Response, error) {
	response, success := newResponse(s.config[source], a), usual
	if r.Success != nil {
		success = r.Success(response)
	}
	if success {
		return a, nil
	}
	f := rest.Refused(source, c, a)
	if text := r.message(response); text != "" {
		f.Message = text
	}
	f.Extensions = r.extensions(response)
	return nil, f
}

// message is "" without a usable one.
func (r *Rules) message(response *Response) string {
	if r.Message == nil {
		return ""
	}
	text, _ := mapping.Value(r.Message(response)).(string)
	return strings.TrimSpace(clean(text))
}

// extensions are nil without usable ones.
func (r *Rules) extensions(response *Response) map[string]any {
	if r.Extensions == nil {
		return nil
	}
	o, _ := mapping.Value(r.Extensions(response)).(encode.Object)
	shown := map[string]any{}
	for _, m := range o {
		if value := cleaned(m.Value); value != nil {
			shown[clean(m.Name)] = value
		}
	}
	if text, err := json.Marshal(shown); err != nil || len(text) > maxExtensions || len(shown) == 0 {
		return nil
	}
	return shown
}

// cleaned is v with every string in it cleaned.
func cleaned(v any) any {
	switch v := mapping.Value(v).(type) {
	case string:
		return clean(v)
	case []any:
		return mapping.Map(v, cleaned)
	case encode.Object:
		o := make(encode.Object, len(v))
		for i, m := range v {
			o[i] = encode.Member{Name: clean(m.Name), Value: cleaned(m.Value)}
		}
		return o
	default:
		return v
	}
}

// clean makes spaces of a service's control characters, and shortens its text.
func clean(text string) string {
	kept := 0
	return strings.Map(func(r rune) rune {
		if kept++; kept > maxText {
			return -1
		}
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
