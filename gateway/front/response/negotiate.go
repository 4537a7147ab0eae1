package response

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The media types of responses. With TypeGraphQL the status says whether the operation was
// executed; TypeJSON is for clients that are older than the GraphQL-over-HTTP specification.
const (
	TypeGraphQL = "application/graphql-response+json"
	TypeJSON    = "application/json"
)

// jsonRanges are the media ranges that include application/json, each with its rank: a narrower
// range has a higher one (RFC 9110, section 12.5.1).
var jsonRanges = map[string]int{TypeJSON: 3, "application/*": 2, "*/*": 1}

// Negotiate returns the media type of the response by the request's Accept header. It reports
// false if the client accepts neither type. Without the header, or with */*, the type is
// application/json.
func Negotiate(r *http.Request) (mediaType string, ok bool) {
	accept := strings.Join(r.Header["Accept"], ",")
	switch accept { // the values that nearly all clients send
	case TypeGraphQL:
		return TypeGraphQL, true
	case "", TypeJSON, "*/*":
		return TypeJSON, true
	}
	if strings.TrimSpace(accept) == "" {
		return TypeJSON, true
	}
	graphQL, plain := -1.0, -1.0
	rank := 0 // of the range that plain is from
	for mediaRange := range strings.SplitSeq(accept, ",") {
		name, params, err := mime.ParseMediaType(strings.TrimSpace(mediaRange))
		if err != nil {
			continue
		}
		switch n := jsonRanges[name]; {
		case name == TypeGraphQL:
			graphQL = quality(params)
		case n > rank:
			rank, plain = n, quality(params)
		}
	}
	if graphQL > 0 && graphQL >= plain {
		return TypeGraphQL, true
	}
	return TypeJSON, plain > 0
}

// quality returns the weight of a media range, from 0 to 1 (RFC 9110, section 12.4.2). A weight
// that is not valid is 0.
func quality(params map[string]string) float64 {
	q, ok := params["q"]
	if !ok {
		return 1
	}
	value, err := strconv.ParseFloat(q, 64)
	if err != nil || value < 0 || value > 1 {
		return 0
	}
	return value
}
