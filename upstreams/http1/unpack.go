package http1

import (
	"bufio"
	"compress/gzip"
	"sync"
)

// unpacking is a body without its gzip.
type unpacking struct {
	body   *exchange
	reader *gunzip // nil until the first Read, and after the last
	err    error   // that Read goes on to return
}

// gunzip is the memory of unpacking.
type gunzip struct {
	in  *bufio.Reader
	out gzip.Reader
}

var gunzips = sync.Pool{New: func() any { return &gunzip{in: bufio.NewReader(nil)} }}

// Read unpacks. When it has come to the end, so has the body below, with nothing behind.
func (u *unpacking) Read(p []byte) (n int, err error) {
	if u.err != nil {
		return 0, u.err
	}
	if u.reader == nil {
		u.reader = gunzips.Get().(*gunzip)
		u.reader.in.Reset(u.body)
		err = u.reader.out.Reset(u.reader.in)
	}
	if err == nil {
		n, err = u.reader.out.Read(p)
	}
	if err != nil {
		u.free(err)
	}
	return n, err
}

// free is called by who reads alone: Close may come at the same time.
func (u *unpacking) free(err error) {
	u.err = err
	u.reader.in.Reset(nil)
	gunzips.Put(u.reader)
	u.reader = nil
}

// Close is that of the body.
func (u *unpacking) Close() error { return u.body.Close() }
