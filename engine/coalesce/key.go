package coalesce

import "encoding/binary"

// AppendText adds a part to a key, with its length: no two lists of parts look alike.
func AppendText(key []byte, text string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(text))), text...)
}

// AppendTexts adds a list of parts to a key, with how many they are.
func AppendTexts(key []byte, texts []string) []byte {
	key = binary.AppendUvarint(key, uint64(len(texts)))
	for _, text := range texts {
		key = AppendText(key, text)
	}
	return key
}
