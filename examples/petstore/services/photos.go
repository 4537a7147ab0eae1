package services

import (
	"fmt"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

const (
	// maxCaption is in characters.
	maxCaption = 200
	// maxPhotos bounds how many photos a pet may have by uploads.
	maxPhotos = 20
)

// fileExtensions are the extensions by media type of the images that may be uploaded.
var fileExtensions = map[string]string{"image/png": "png", "image/jpeg": "jpg"}

// apiResponse is the document's ApiResponse.
type apiResponse struct {
	Code    int    `json:"code"`
	Type    string `json:"type"`
	Message string `json:"message"`
	URL     string `json:"url"`
}

func (p *pets) upload(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if _, err := p.find(id); err != nil {
		return err
	}
	form, err := backend.ReadUpload(r)
	if err != nil {
		return err
	}
	// The media type comes from the first bytes, and not from the client.
	kind := http.DetectContentType(form.File)
	if fileExtensions[kind] == "" {
		return backend.NewProblem(http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "a photo must be PNG or JPEG")
	}
	if utf8.RuneCountInString(form.Fields["caption"]) > maxCaption {
		return backend.NewInvalid("caption may have %d characters", maxCaption)
	}
	url, err := p.addPhoto(id, form.File, fileExtensions[kind])
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, apiResponse{
		Code: http.StatusOK, Type: kind, Message: fmt.Sprintf("stored %d bytes", len(form.File)), URL: url,
	})
}

// addPhoto stores an image and adds its URL to the pet's photos. The URL is not served: the
// document has no operation for it.
func (p *pets) addPhoto(id string, picture []byte, ending string) (url string, err error) {
	_, err = p.change(id, nil, func(pet *Pet) error {
		if len(pet.Photos) >= maxPhotos {
			return backend.NewProblem(http.StatusConflict, "TOO_MANY_PHOTOS", "a pet may have %d photos", maxPhotos)
		}
		url = fmt.Sprintf("https://images.petstore.example/pets/%s/%d.%s", id, len(pet.Photos)+1, ending)
		pet.Photos = append(slices.Clip(pet.Photos), url)
		p.photos[id] = picture
		return nil
	})
	return url, err
}

// photo returns the image that was last uploaded for a pet.
func (p *pets) photo(id string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.photos[id]
}
