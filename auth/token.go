package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// token is a JWT that has been taken apart. Nothing in it is proven.
type token struct {
	signed    string // what the signature is over: header and payload as they were sent
	signature []byte
	alg, kid  string // of the header; kid may be empty
	claims    map[string]any
}

// bearer takes the token out of an Authorization header. Length, letters and dots
// are looked at before anything is decoded, so that refusing costs nothing.
func bearer(authorization string, maxLength int) (string, error) {
	scheme, raw, _ := strings.Cut(authorization, " ")
	raw = strings.Trim(raw, " ")
	if !strings.EqualFold(scheme, "Bearer") || raw == "" || strings.ContainsAny(raw, " \t,") {
		return "", fault.New(fault.Unauthenticated, textScheme)
	}
	if len(raw) > maxLength {
		return "", fault.New(fault.Unauthenticated, textTooLong).
			WithCause(fmt.Errorf("the token has %d bytes of at most %d", len(raw), maxLength))
	}
	return raw, nil
}

// parse takes a compact JWS apart (RFC 7515, 7.1).
func parse(raw string) (*token, error) {
	if strings.Count(raw, ".") != 2 {
		return nil, errors.New("it does not have three parts")
	}
	signed := raw[:strings.LastIndexByte(raw, '.')]
	header, payload, _ := strings.Cut(signed, ".")
	t := &token{signed: signed}
	if err := t.readHeader(header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	var err error
	if t.claims, err = decodeObject(payload); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if t.signature, err = decodePart(raw[len(signed)+1:]); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return t, nil
}

// readHeader keeps alg and kid. Keys and addresses of keys that a header offers
// (jwk, jku, x5c, x5u) are never looked at: a token does not vouch for itself.
func (t *token) readHeader(part string) error {
	header, err := decodeObject(part)
	if err != nil {
		return err
	}
	if _, critical := header["crit"]; critical {
		return errors.New("crit asks for an extension, and none is known here")
	}
	var ok bool
	if t.alg, ok = header["alg"].(string); !ok {
		return errors.New("alg is not a text")
	}
	if kid, given := header["kid"]; given {
		if t.kid, ok = kid.(string); !ok {
			return errors.New("kid is not a text")
		}
	}
	return nil
}

// decodePart reads base64url strictly: no padding, no loose bits, and no line
// breaks either, which Go's own decoder skips. So a token has one spelling only.
func decodePart(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("a line break in base64")
	}
	return base64.RawURLEncoding.Strict().DecodeString(part)
}

// decodeObject reads a JSON object whose names are unique, at every depth: readers
// differ in which of two they believe, and a service behind us may read the same token.
func decodeObject(part string) (map[string]any, error) {
	text, err := decodePart(part)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, errors.New("it is not JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := decodeValue(decoder)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("it is not a JSON object")
	}
	return object, nil
}

// decodeValue goes no deeper than json.Valid allows.
func decodeValue(decoder *json.Decoder) (any, error) {
	start, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch start {
	case json.Delim('{'):
		return decodeMembers(decoder)
	case json.Delim('['):
		return decodeElements(decoder)
	default:
		return start, nil
	}
}

func decodeMembers(decoder *json.Decoder) (any, error) {
	object := map[string]any{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if _, twice := object[name.(string)]; twice {
			return nil, fmt.Errorf("%s is there twice", excerpt(name.(string)))
		}
		if object[name.(string)], err = decodeValue(decoder); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token() // the closing brace
	return object, err
}

func decodeElements(decoder *json.Decoder) (any, error) {
	list := []any{}
	for decoder.More() {
		value, err := decodeValue(decoder)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := decoder.Token() // the closing bracket
	return list, err
}
