package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Problem is an error response in the form of RFC 9457 (application/problem+json). An
// operation that returns it as an error responds with it.
type Problem struct {
	// Type is set when the problem is written: see Options.ProblemTypes.
	Type string `json:"type"`
	// Title is the text of the status.
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Detail explains the problem to people.
	Detail string `json:"detail"`
	// Code identifies the problem for programs. It is not sent when Type contains it.
	Code string `json:"code,omitempty"`
	// Errors are the problems of single fields, where these are known.
	Errors []FieldError `json:"errors,omitempty"`

	challenge string // the header WWW-Authenticate, "" for none
}

// FieldError is the problem of one member of a body, such as "lines[0].quantity".
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// NewProblem returns a problem with a formatted detail.
func NewProblem(status int, code, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...), Code: code}
}

// NewInvalid returns a 422 for a body that is well-formed but not valid.
func NewInvalid(format string, args ...any) *Problem {
	return NewProblem(http.StatusUnprocessableEntity, "INVALID", format, args...)
}

// NewBadParameter returns a 400 for a parameter that does not have its type.
func NewBadParameter(name, want string) *Problem {
	return NewProblem(http.StatusBadRequest, "BAD_PARAMETER", "%s must be %s", name, want)
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// withType returns the problem in the form in which it is sent.
func (p Problem) withType(types string) Problem {
	if types == "" {
		p.Type = "about:blank"
		return p
	}
	p.Type = types + strings.ToLower(strings.ReplaceAll(p.Code, "_", "-"))
	p.Code = ""
	return p
}

// writeError responds with the problem of err.
func (s *Service) writeError(w http.ResponseWriter, err error) {
	p := toProblem(err)
	if p.challenge != "" {
		w.Header().Set("WWW-Authenticate", p.challenge)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Del("Cache-Control")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p.withType(s.options.ProblemTypes)) // it fails only when the client has left
}

// toProblem returns the problem in err, a 413 for a body that is too large, and a 500 for any
// other error.
func toProblem(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return NewProblem(http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "the body may have %d bytes", tooLarge.Limit)
	}
	return NewProblem(http.StatusInternalServerError, "INTERNAL", "something went wrong")
}

// WriteJSON responds with v. It marshals v before it sends the status.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	WriteBody(w, status, body)
	return nil
}

// WriteBody responds with a body that is JSON already.
func WriteBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // it fails only when the client has left
}
