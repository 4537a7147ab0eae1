package front

import (
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
)

// loadDocuments sets the documents to which clients refer by an id. What has not changed is kept from the
// version before, nil for none: the documents of equal manifests are not prepared again, and what
// clients have registered stays known.
func (v *version) loadDocuments(before *version, d Deps) (err error) {
	o := v.options.Documents
	v.documents = execute.Documents{Options: o, OnOutcome: d.OnDocument}
	if o.UsesManifests() {
		if v.documents.Set = v.options.Manifests; v.documents.Set == nil {
			if v.documents.Set, err = documents.Load(o); err != nil {
				return err
			}
		}
	}
	if before != nil && before.documents.Set.Equal(v.documents.Set) {
		v.documents.Set = before.documents.Set
	}
	if before != nil && before.options.Documents.APQ == o.APQ {
		v.documents.Registry = before.documents.Registry
	} else {
		var shared documents.Shared // stays nil without a store
		if d.Store != nil {
			shared = d.Store
		}
		v.documents.Registry = documents.NewRegistry(o.APQ, shared)
	}
	return nil
}
