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

// ReadBody reads a body, which must have the media type of the operation.
// Service.countCalls has bounded it.
func ReadBody(r *http.Request, mediaType string) ([]byte, error) {
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != mediaType {
		return nil, NewProblem(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "this operation takes %s", mediaType)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, ReadError(err)
	}
	return body, nil
}

// ReadError returns the error for a body that is too large (413), or that broke off (400).
func ReadError(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	return NewProblem(http.StatusBadRequest, "BAD_BODY", "the body could not be read")
}

// ParseJSON decodes a body. Its error is a 400 for a body that is not JSON, and a 422 for one
// with values of other types.
func ParseJSON(body []byte, into any) error {
	err := json.Unmarshal(body, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return NewProblem(http.StatusUnprocessableEntity, "INVALID", "%s may not be a JSON %s",
			cmp.Or(wrong.Field, "the body"), wrong.Value)
	}
	if err != nil {
		return NewProblem(http.StatusBadRequest, "BAD_JSON", "the body is not JSON")
	}
	return nil
}

// ParseJSONStrict is ParseJSON, but refuses members that into does not have.
func ParseJSONStrict(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		if err := ParseJSON(body, into); err != nil {
			return err
		}
		return NewProblem(http.StatusUnprocessableEntity, "INVALID", "the body has a member that cannot be changed")
	}
	return nil
}
