package backend

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Problem is an error answer as RFC 9457 describes it: application/problem+json. As an
// error it makes an operation answer with it.
type Problem struct {
	// Type is filled in when it is written, see Options.ProblemTypes.
	Type string `json:"type"`
	// Title says what the status means.
	Title string `json:"title"`
	// Status is the answer's status.
	Status int `json:"status"`
	// Detail is for people.
	Detail string `json:"detail"`
	// Code is what programs switch on. It is not sent where Type says it.
	Code string `json:"code,omitempty"`
	// Errors are what is wrong field by field, where that is known.
	Errors []FieldError `json:"errors,omitempty"`

	challenge string // the header WWW-Authenticate, "" for none
}

// FieldError is what is wrong with one member of a body, named as "lines[0].quantity".
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Refuse makes a problem.
func Refuse(status int, code, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...), Code: code}
}

// Invalid refuses a body that is well written and yet not acceptable: 422.
func Invalid(format string, args ...any) *Problem {
	return Refuse(http.StatusUnprocessableEntity, "INVALID", format, args...)
}

// BadType refuses a parameter that is not of its type: 400.
func BadType(name, want string) *Problem {
	return Refuse(http.StatusBadRequest, "BAD_PARAMETER", "%s must be %s", name, want)
}

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// typed is the problem as it is sent.
func (p Problem) typed(types string) Problem {
	if types == "" {
		p.Type = "about:blank"
		return p
	}
	p.Type = types + strings.ToLower(strings.ReplaceAll(p.Code, "_", "-"))
	p.Code = ""
	return p
}

// writeError answers with err's problem.
func (s *Service) writeError(w http.ResponseWriter, err error) {
	p := problemOf(err)
	if p.challenge != "" {
		w.Header().Set("WWW-Authenticate", p.challenge)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Del("Cache-Control")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p.typed(s.options.ProblemTypes)) // a caller who has left needs no answer
}

// problemOf finds the problem in err. Whatever else went wrong was the body's being too
// large, or is our mistake.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return Refuse(http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "the body may have %d bytes", tooLarge.Limit)
	}
	return Refuse(http.StatusInternalServerError, "INTERNAL", "something went wrong")
}

// WriteJSON answers with v. The body is complete before the status is sent.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	WriteBody(w, status, body)
	return nil
}

// WriteBody answers with JSON that is written already.
func WriteBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller who has left needs no answer
}
