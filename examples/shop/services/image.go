package services

import (
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

func (p *products) upload(w http.ResponseWriter, r *http.Request) error {
	sku := r.PathValue("sku")
	if _, ok := p.find(sku); !ok {
		return noSuchProduct()
	}
	upload, err := backend.ReadUpload(r)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.images[sku] = upload.File
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// image returns the image that was last uploaded for sku.
func (p *products) image(sku string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.images[sku]
}
