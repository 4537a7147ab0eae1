package execute

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/httperror"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// Documents are the documents to which clients refer by an id, and the rules about others. The zero value
// executes any text and no id.
type Documents struct {
	// Options say what is allowed.
	documents.Options
	// Set has the documents of the manifests.
	Set *documents.Set
	// Registry has the texts that clients have registered. Nil registers none.
	Registry *documents.Registry
	// OnOutcome is called for each request by id, and for each text that is compared with the manifests.
	// Default none.
	OnOutcome func(documents.Outcome)
}

func (d *Documents) count(o documents.Outcome) {
	if d.OnOutcome != nil {
		d.OnOutcome(o)
	}
}

// refuse counts a text that is refused.
func (d *Documents) refuse(ctx context.Context) {
	request.LogEntryOf(ctx).Refuse(request.RefusedDocument, "")
	d.count(documents.Refused)
}

// The errors of requests by id, and of texts that no manifest has. By the messages of the first two, the
// links for persisted queries (Apollo Client's, urql's) know that they have to send the text.
var (
	errNotSupported = fault.New(fault.PersistedNotSupported, "PersistedQueryNotSupported")
	errNotFound     = fault.New(fault.PersistedNotFound, "PersistedQueryNotFound")
	// errUnknownID is errNotFound for callers whose text would be refused as well.
	errUnknownID  = &httperror.Error{Status: http.StatusNotFound, Err: errNotFound}
	errMismatch   = fault.New(fault.PersistedMismatch, "the sha256Hash is not the SHA-256 of the query")
	errIDRequired = fault.New(fault.PersistedIDRequired, `send the id of a document as "documentId" instead of a query: this gateway executes documents by their ids alone`)
	errNotListed  = fault.New(fault.NotInSafelist, "the query is not one of the documents that this gateway executes")
	errExtension  = fault.New(fault.BadRequest, `"persistedQuery" in the extensions must be an object with "version": 1 and the string "sha256Hash"`)
	errTwoIDs     = fault.New(fault.BadRequest, "the request has two different ids of a document")
)

// document returns the document that a request refers to by its text or by an id. Whichever it is, the
// document passes the same limits.
func (e *Executor) document(ctx context.Context, op *Operation, params *request.Params) (*document.Document, gqlerror.List) {
	text, err := e.textOf(ctx, op, params)
	if err != nil {
		return nil, gqlerror.List{gqlerror.Wrap(err)}
	}
	op.RawQuery = text
	return e.documents.Get(ctx, text)
}

// textOf returns the text of the document that a request refers to.
func (e *Executor) textOf(ctx context.Context, op *Operation, params *request.Params) (string, error) {
	d := &e.options.Documents
	extension := params.Extensions["persistedQuery"]
	id := params.DocumentID
	switch {
	case params.Query == "" && id == "" && extension == nil:
		return "", fault.New(fault.BadRequest, `the request has no "query"`)
	case !d.UsesIDs():
		if params.Query == "" {
			return "", errNotSupported
		}
		return params.Query, nil
	}
	hash := ""
	if extension != nil {
		var ok bool
		if hash, ok = persistedHash(extension); !ok {
			return "", errExtension
		}
	}
	switch {
	case params.Query != "":
		return params.Query, e.checkText(ctx, op, params.Query, hash)
	case id == "":
		id = hash
	case hash != "" && bareID(id) != bareID(hash):
		return "", errTwoIDs
	}
	op.DocumentID = bareID(id)
	return d.find(ctx, op.Caller, id)
}

// bareID returns an id without the prefix that says that it is a hash.
func bareID(id string) string { return strings.TrimPrefix(id, "sha256:") }

// persistedHash returns the hash in the extension persistedQuery (Apollo's protocol of automatic
// persisted queries, version 1), and reports whether it has one.
func persistedHash(extension any) (hash string, ok bool) {
	members, _ := extension.(map[string]any)
	if version, ok := members["version"]; ok && version != json.Number("1") {
		return "", false
	}
	hash, _ = members["sha256Hash"].(string)
	return hash, hash != ""
}

// checkText returns why the caller must not execute a text, nil if it may. hash is the one that the
// client states for the text, "" for none.
func (e *Executor) checkText(ctx context.Context, op *Operation, text, hash string) error {
	d := &e.options.Documents
	enforced := d.Enforces(op.Caller.Identity == nil)
	if enforced || d.Mode == documents.Log {
		listed := d.Set.Has(op.Caller.Client, text)
		switch {
		case enforced && !listed:
			d.refuse(ctx)
			e.unlisted.logRefused(ctx, e.options.Log, op.Caller, documents.Hash(text))
			return errNotListed
		case enforced && d.RequireID:
			d.refuse(ctx)
			return errIDRequired
		case listed:
			d.count(documents.Listed)
		default:
			d.count(documents.Unlisted)
			op.unlisted = true
		}
	}
	if hash != "" && !enforced && d.Registry != nil {
		if documents.Hash(text) != hash {
			return errMismatch
		}
		op.registerAs = hash
	}
	return nil
}

// find returns the text of the document that an id stands for. A caller for whom the manifests are
// enforced does not find what others have registered.
func (d *Documents) find(ctx context.Context, c *caller.Caller, id string) (string, error) {
	if d.UsesManifests() {
		if found := d.Set.Find(c.Client, id); found != nil {
			d.count(documents.Known)
			return found.Text, nil
		}
	}
	err := error(errNotFound)
	if d.Enforces(c.Identity == nil) {
		request.LogEntryOf(ctx).Refuse(request.RefusedDocument, "")
		err = errUnknownID
	} else if text, ok := d.Registry.Find(ctx, bareID(id)); ok {
		d.count(documents.Registered)
		return text, nil
	}
	d.count(documents.Unknown)
	return "", err
}

// accept does what follows once an operation may be executed: it registers the text, and logs one that no
// manifest has.
func (e *Executor) accept(ctx context.Context, op *Operation) {
	if op.registerAs != "" {
		e.options.Documents.Registry.Register(ctx, op.registerAs, op.RawQuery)
	}
	if op.unlisted {
		e.unlisted.logExecuted(ctx, e.options.Log, op)
	}
}
