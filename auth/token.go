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

// token is a parsed JWT. Nothing in it has been verified.
type token struct {
	signed    string // the signing input: header and payload as they were sent (RFC 7515, 5.1)
	signature []byte
	alg, kid  string // of the header; kid may be empty
	claims    map[string]any
}

// bearerToken returns the token of an Authorization header (RFC 6750, 2.1). It checks scheme
// and length before anything is decoded, so that a refusal costs little.
func bearerToken(authorization string, maxLength int) (string, error) {
	scheme, raw, _ := strings.Cut(authorization, " ")
	raw = strings.Trim(raw, " ")
	if !strings.EqualFold(scheme, "Bearer") || raw == "" || strings.ContainsAny(raw, " \t,") {
		return "", fault.New(fault.Unauthenticated, msgScheme)
	}
	if len(raw) > maxLength {
		return "", fault.New(fault.Unauthenticated, msgTooLong).
			WithCause(fmt.Errorf("the token has %d bytes of at most %d", len(raw), maxLength))
	}
	return raw, nil
}

// parseToken parses a compact JWS (RFC 7515, 7.1).
func parseToken(raw string) (*token, error) {
	if strings.Count(raw, ".") != 2 {
		return nil, errors.New("it does not have three parts")
	}
	signed := raw[:strings.LastIndexByte(raw, '.')]
	header, payload, _ := strings.Cut(signed, ".")
	t := &token{signed: signed}
	if err := t.parseHeader(header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	var err error
	if t.claims, err = decodeObject(payload); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if t.signature, err = decodeBase64(raw[len(signed)+1:]); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	return t, nil
}

// parseHeader reads alg and kid (RFC 7515, 4.1). It ignores keys and URLs of keys in the
// header (jwk, jku, x5c, x5u): they come from the sender, and would let it choose the key
// by which its own signature is verified (RFC 8725, 3.10).
func (t *token) parseHeader(part string) error {
	header, err := decodeObject(part)
	if err != nil {
		return err
	}
	if _, critical := header["crit"]; critical {
		return errors.New("crit requires an extension, and none is supported")
	}
	var ok bool
	if t.alg, ok = header["alg"].(string); !ok {
		return errors.New("alg is not a string")
	}
	if kid, present := header["kid"]; present {
		if t.kid, ok = kid.(string); !ok {
			return errors.New("kid is not a string")
		}
	}
	return nil
}

// decodeBase64 decodes base64url strictly: without padding, stray bits, or the line breaks
// that Go's decoder skips. So each token has exactly one encoding.
func decodeBase64(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("a line break in base64")
	}
	return base64.RawURLEncoding.Strict().DecodeString(part)
}

// decodeObject decodes a JSON object whose names are unique at every depth (RFC 7519, 4).
// Parsers differ in which of two equal names they use, and a service that receives the same
// token might read other claims than the gateway.
func decodeObject(part string) (map[string]any, error) {
	text, err := decodeBase64(part)
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

// decodeValue recurses no deeper than json.Valid allows, which its caller has called.
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
		if _, duplicate := object[name.(string)]; duplicate {
			return nil, fmt.Errorf("%s occurs twice", quoteShort(name.(string)))
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
