package coalesce

import "encoding/binary"

// AppendText appends a part to a key, after its length, so that different lists of parts have
// different keys.
func AppendText(key []byte, text string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(text))), text...)
}

// AppendTexts appends a list of parts to a key, after their number.
func AppendTexts(key []byte, texts []string) []byte {
	key = binary.AppendUvarint(key, uint64(len(texts)))
	for _, text := range texts {
		key = AppendText(key, text)
	}
	return key
}
