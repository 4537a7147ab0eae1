package backend

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
)

const (
	// MaxFile bounds one uploaded file, in bytes.
	MaxFile = 5 << 20
	// MaxUpload is the Operation.MaxBody of an upload. It leaves room for what multipart
	// wraps around the file, and for texts beside it.
	MaxUpload = MaxFile + 64<<10
	// maxField bounds each text beside the file, in bytes.
	maxField = 4 << 10
)

// Upload is a form with a file in it.
type Upload struct {
	// File is the part named "file".
	File []byte
	// Fields are the other parts by their names, each 4 kB at the most.
	Fields map[string]string
}

// ReadUpload reads a multipart/form-data body.
func ReadUpload(r *http.Request) (Upload, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return Upload{}, Refuse(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "this operation takes multipart/form-data")
	}
	u := Upload{Fields: map[string]string{}}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return u, u.check()
		}
		if err != nil {
			return u, Unreadable(err)
		}
		if err := u.take(part); err != nil {
			return u, err
		}
	}
}

func (u *Upload) check() error {
	if u.File == nil {
		return Invalid("the form must have a file")
	}
	return nil
}

func (u *Upload) take(part *multipart.Part) error {
	if part.FormName() == "file" {
		file, err := readPart(part, MaxFile)
		u.File = file
		return err
	}
	text, err := readPart(part, maxField)
	u.Fields[part.FormName()] = string(text)
	return err
}

// readPart never returns nil without an error.
func readPart(part *multipart.Part, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return nil, Unreadable(err)
	}
	if int64(len(content)) > limit {
		return nil, Refuse(http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "the part %q may have %d bytes", part.FormName(), limit)
	}
	return content, nil
}
