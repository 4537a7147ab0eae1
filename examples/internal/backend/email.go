package backend

import "net/mail"

// IsEmail reports whether text is an e-mail address, without a name or angle brackets.
func IsEmail(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text
}
