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

// snapshot holds the state of files at one moment, by their absolute paths. The state of a file
// that did not exist is nil.
type snapshot map[string]*fileState

type fileState struct {
	content  []byte
	mode     fs.FileMode
	modified time.Time
}

// takeSnapshot reads files that are named relative to the root. It returns an error if one of them
// is not a regular file, because restore could not restore that.
func (r *run) takeSnapshot(names []string) (snapshot, error) {
	s := snapshot{}
	for _, name := range names {
		path := r.path(name)
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			s[path] = nil
			continue
		}
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s is no regular file; move it away, a generated one goes there", name)
		}
		if err != nil {
			return nil, err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		s[path] = &fileState{content, info.Mode(), info.ModTime()}
	}
	return s, nil
}

// restore gives the files the content, mode and time of the snapshot, and removes those that did
// not exist.
func (s snapshot) restore() error {
	var errs []error
	for path, state := range s {
		if err := state.restore(path); err != nil {
			errs = append(errs, fmt.Errorf("a file cannot be restored: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (f *fileState) restore(path string) error {
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
