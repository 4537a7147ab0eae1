//go:build !unix

package faulty

import (
	"errors"
	"io"
)

func blackhole(string) (io.Closer, error) { return nil, errors.ErrUnsupported }
