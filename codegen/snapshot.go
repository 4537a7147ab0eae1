package codegen

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// snapshot is what files were at one moment, by their paths; nil for one that was not.
type snapshot map[string]*file

type file struct {
	content  []byte
	mode     fs.FileMode
	modified time.Time
}

// remember fails for what is no file, since restore could not bring it back.
func remember(paths []string) (snapshot, error) {
	s := snapshot{}
	for _, path := range paths {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			s[path] = nil
			continue
		}
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s is no regular file; move it away, a generated one goes there", path)
		}
		if err != nil {
			return nil, err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		s[path] = &file{content, info.Mode(), info.ModTime()}
	}
	return s, nil
}

// restore brings the files back to that moment.
func (s snapshot) restore() error {
	var errs []error
	for path, f := range s {
		if err := f.restore(path); err != nil {
			errs = append(errs, fmt.Errorf("cannot be brought back: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (f *file) restore(path string) error {
	if f == nil {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, f.content) {
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.content, f.mode))
		if err != nil {
			return err
		}
	}
	return os.Chtimes(path, time.Time{}, f.modified)
}
