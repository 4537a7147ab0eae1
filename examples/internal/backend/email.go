package backend

import "net/mail"

// IsEmail tells an e-mail address, without a name or angle brackets around it.
func IsEmail(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text
}
