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
	// MaxUpload is the Operation.MaxBody of an upload: a file, the headers of its parts, and
	// text fields.
	MaxUpload = MaxFile + 64<<10
	// maxField bounds each text field, in bytes.
	maxField = 4 << 10
)

// Upload is a form with a file.
type Upload struct {
	// File is the part named "file".
	File []byte
	// Fields are the other parts by name, each of at most 4 kB.
	Fields map[string]string
}

// ReadUpload reads a multipart/form-data body.
func ReadUpload(r *http.Request) (Upload, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return Upload{}, NewProblem(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "this operation takes multipart/form-data")
	}
	u := Upload{Fields: map[string]string{}}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return u, u.validate()
		}
		if err != nil {
			return u, ReadError(err)
		}
		if err := u.addPart(part); err != nil {
			return u, err
		}
	}
}

func (u *Upload) validate() error {
	if u.File == nil {
		return NewInvalid("the form must have a file")
	}
	return nil
}

func (u *Upload) addPart(part *multipart.Part) error {
	if part.FormName() == "file" {
		file, err := readPart(part, MaxFile)
		u.File = file
		return err
	}
	text, err := readPart(part, maxField)
	u.Fields[part.FormName()] = string(text)
	return err
}

// readPart reads a part of at most limit bytes. Without an error its result is not nil.
func readPart(part *multipart.Part, limit int64) ([]byte, error) {
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return nil, ReadError(err)
	}
	if int64(len(content)) > limit {
		return nil, NewProblem(http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "the part %q may have %d bytes", part.FormName(), limit)
	}
	return content, nil
}
