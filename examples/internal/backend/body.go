package backend

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

// ReadBody reads a body of exactly the media type that the operation takes.
// Service.counted has bounded it.
func ReadBody(r *http.Request, mediaType string) ([]byte, error) {
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != mediaType {
		return nil, Refuse(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "this operation takes %s", mediaType)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, Unreadable(err)
	}
	return body, nil
}

// Unreadable keeps apart a body that is too large from one that broke off.
func Unreadable(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	return Refuse(http.StatusBadRequest, "BAD_BODY", "the body could not be read")
}

// Parse tells a body that is no JSON (400) from one of another shape (422).
func Parse(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return Refuse(http.StatusUnprocessableEntity, "INVALID", "%s may not be a JSON %s",
			cmp.Or(wrong.Field, "the body"), wrong.Value)
	}
	if err != nil {
		return Refuse(http.StatusBadRequest, "BAD_JSON", "the body is not JSON")
	}
	return nil
}

// ParseStrictly is Parse, and refuses members that into does not have.
func ParseStrictly(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if err := Parse(body, into); err != nil {
			return err
		}
		return Refuse(http.StatusUnprocessableEntity, "INVALID", "the body has a member that cannot be changed")
	}
	return nil
}
