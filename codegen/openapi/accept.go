package openapi

import (
	"mime"
	"slices"
	"strings"
)

// Accept returns the media types to ask a service for, in the document's order: those of its
// successful responses that are JSON or, if the caller ignores the body, all of them. The default
// response counts only if the document has no 2xx. Accept returns nil for plain JSON, and where the
// document leaves the type open.
func (o *Operation) Accept(ignoresBody bool) []string {
	var types []string
	for _, m := range o.successMedia() {
		switch t := acceptedType(m.Type); {
		case t == "" || slices.Contains(types, t):
		case ignoresBody || isJSON(t):
			types = append(types, t)
		}
	}
	if slices.Equal(types, []string{plainJSON}) {
		return nil
	}
	return types
}

const plainJSON = "application/json"

// successMedia returns the media types of all successful responses.
func (o *Operation) successMedia() []Media {
	var media, fallback []Media
	hasSuccess := false
	for _, r := range o.Responses {
		switch {
		case r.isSuccess():
			hasSuccess, media = true, append(media, r.Media...)
		case r.Status == "default":
			fallback = r.Media
		}
	}
	if !hasSuccess {
		return fallback
	}
	return media
}

// acceptedType returns a media type of a document as it is asked for. A range that includes JSON is
// JSON, a charset is left out, since JSON has one alone (RFC 8259, 8.1), and so is a q-value, since
// the order says what is preferred. It returns "" for what is not a media type.
func acceptedType(text string) string {
	base, params, err := mime.ParseMediaType(text)
	if err != nil || !strings.Contains(base, "/") {
		return ""
	}
	if base == "*/*" || base == "application/*" {
		return plainJSON
	}
	delete(params, "q")
	if isJSON(base) {
		delete(params, "charset")
	}
	return mime.FormatMediaType(base, params)
}
