package services

import (
	"crypto/subtle"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
)

const (
	// maxImage bounds one picture, in bytes.
	maxImage = 5 << 20
	// maxUpload leaves room for what multipart wraps around it.
	maxUpload = maxImage + 64<<10
)

// keyed lets next answer only those who bring the API key.
func keyed(apiKey string, next answer) answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-API-Key")), []byte(apiKey)) != 1 {
			w.Header().Set("WWW-Authenticate", `ApiKey realm="shop"`)
			return refuse(http.StatusUnauthorized, "BAD_API_KEY", "this operation needs the X-API-Key header")
		}
		return next(w, r)
	}
}

// upload streams: no more than the picture itself is held in memory.
func (p *products) upload(w http.ResponseWriter, r *http.Request) error {
	sku := r.PathValue("sku")
	if _, ok := p.find(sku); !ok {
		return noSuchProduct()
	}
	form, err := r.MultipartReader()
	if err != nil {
		return refuse(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "this operation takes multipart/form-data")
	}
	picture, err := readFile(form)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.images[sku] = picture
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// readFile reads the part named "file" and ignores the others.
func readFile(form *multipart.Reader) ([]byte, error) {
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, invalid("the form must have a file")
		}
		if err != nil {
			return nil, unreadable(err)
		}
		if part.FormName() == "file" {
			return readPicture(part)
		}
	}
}

func readPicture(part io.Reader) ([]byte, error) {
	picture, err := io.ReadAll(io.LimitReader(part, maxImage+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(picture) > maxImage {
		return nil, refuse(http.StatusRequestEntityTooLarge, "BODY_TOO_LARGE", "a picture may have %d bytes", maxImage)
	}
	return picture, nil
}

// image returns the picture that was last uploaded for sku.
func (p *products) image(sku string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.images[sku]
}
