package services

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"time"
)

// newID returns a UUID of version 7 (RFC 9562): the time in milliseconds, followed by random
// bits.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails: crypto/rand ends the program first
	var now [8]byte
	binary.BigEndian.PutUint64(now[:], uint64(time.Now().UnixMilli()))
	copy(id[:6], now[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// newOrderID returns an id such as ord_4PZ3KJT6UNKHFYGN.
func newOrderID() string { return "ord_" + rand.Text()[:16] }
