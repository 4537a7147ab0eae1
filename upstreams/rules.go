package upstreams

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Rules are the isSuccess and errors of @source and @connect: which responses are data, and
// what an error shows to the client. Each field may be nil. All calls share them, so that
// the functions must be safe for concurrent use.
type Rules struct {
	// NullOn are the statuses that mean the value is null, with which Fetch returns a zero value and no
	// error. They are considered before Success. Send and Confirm ignore them.
	NullOn []int
	// Success alone decides whether a response is read as data. A 404 may be data, and a
	// 200 with {"ok": false} may not be. Default: every 2xx is data.
	Success func(*Response) bool
	// Message is shown to the client instead of the gateway's own text if it is a string
	// that is not blank. It is cut to 1,000 characters, and control characters become
	// spaces. Default none.
	Message func(*Response) any
	// Extensions, if it is an object, is added to the extensions of the error. Its code
	// replaces the gateway's; service and http are always the gateway's. Members that are
	// null are dropped, strings are treated like Message, and an object of more than 16 KiB
	// is dropped as a whole. Default none.
	Extensions func(*Response) any
}

// mayExpectFailures reports whether a response may be data or null although its status is one that
// says that the service failed.
func (r *Rules) mayExpectFailures() bool {
	return r.Success != nil || slices.ContainsFunc(r.NullOn, func(status int) bool {
		return status >= 500 || status == http.StatusTooManyRequests
	})
}

const (
	maxText       = 1000     // characters of a service's text that a client sees
	maxExtensions = 16 << 10 // bytes of JSON
)

// Response is a service's response as rules read it. It must not be used concurrently.
type Response struct {
	// Status is the HTTP status, the $status of bindings.
	Status int

	config map[string]string // of the source
	header http.Header
	body   []byte
	parsed bool
	value  any // the parsed body, if parsed is true
}

func newResponse(config map[string]string, r *rest.Response) *Response {
	return &Response{Status: r.Status, config: config, header: r.Header, body: r.Body}
}

// Config returns the value of $config.key: see Services.Config.
func (r *Response) Config(key string) any { return nonEmpty(r.config[key]) }

// Header returns the value of $response.headers.name, nil when the header is absent. The
// values of a repeated header are joined by commas.
func (r *Response) Header(name string) any {
	values := r.header.Values(name)
	if len(values) == 0 {
		return nil
	}
	return strings.ToValidUTF8(strings.Join(values, ", "), "\uFFFD")
}

// Body returns the parsed body in the form of engine/mapping, nil when it is not JSON. If
// the status is not a 2xx, the body is cut at rest.MaxErrorBody, so that a longer one is
// not JSON.
func (r *Response) Body() any {
	if !r.parsed {
		r.parsed = true
		r.value, _ = mapping.Parse(r.body)
	}
	return r.value
}

// message returns "" when there is no usable message.
func (r *Rules) message(response *Response) string {
	if r.Message == nil {
		return ""
	}
	text, _ := mapping.Normalize(r.Message(response)).(string)
	return strings.TrimSpace(sanitize(text))
}

// extensions returns nil when there are no usable extensions.
func (r *Rules) extensions(response *Response) map[string]any {
	if r.Extensions == nil {
		return nil
	}
	o, _ := mapping.Normalize(r.Extensions(response)).(encode.Object)
	shown := map[string]any{}
	for _, m := range o {
		if value := sanitizeValue(m.Value); value != nil {
			shown[sanitize(m.Name)] = value
		}
	}
	if text, err := json.Marshal(shown); err != nil || len(text) > maxExtensions || len(shown) == 0 {
		return nil
	}
	return shown
}

// sanitizeValue returns v with every string in it sanitized, names of members included.
func sanitizeValue(v any) any {
	switch v := mapping.Normalize(v).(type) {
	case string:
		return sanitize(v)
	case []any:
		return mapping.Map(v, sanitizeValue)
	case encode.Object:
		o := make(encode.Object, len(v))
		for i, m := range v {
			o[i] = encode.Member{Name: sanitize(m.Name), Value: sanitizeValue(m.Value)}
		}
		return o
	default:
		return v
	}
}

// sanitize replaces control characters by spaces, and cuts text to maxText characters.
func sanitize(text string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > maxText {
			return -1
		}
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
