package services

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// problem is an error answer as RFC 9457 describes it: application/problem+json.
type problem struct {
	// Type is always about:blank: the title says what the status means, Code is
	// what programs switch on.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
}

func refuse(status int, code, format string, args ...any) *problem {
	return &problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: fmt.Sprintf(format, args...), Code: code,
	}
}

func (p *problem) Error() string { return p.Code + ": " + p.Detail }

// writeError answers with err's problem. Whatever else went wrong was the body's
// being too large, or is our mistake.
func writeError(w http.ResponseWriter, err error) {
	var p *problem
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &p):
	case errors.As(err, &tooLarge):
		p = refuse(http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "the body may have %d bytes", tooLarge.Limit)
	default:
		p = refuse(http.StatusInternalServerError, "INTERNAL", "something went wrong")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Del("Cache-Control")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // a caller who has left needs no answer
}

// writeJSON answers with v. The body is complete before the status is sent.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	writeBody(w, status, body)
	return nil
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller who has left needs no answer
}
