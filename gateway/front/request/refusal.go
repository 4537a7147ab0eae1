package request

// Refusal says by which of the gateway's own rules a request is refused. Mistakes of clients, such as
// a document that does not validate, are not refusals in this sense: they have their codes.
type Refusal string

// The refusals. They are values of a label of metrics, so that their number must stay small.
const (
	// RefusedBlocked is for an operation that the settings block.
	RefusedBlocked Refusal = "blocked"
	// RefusedCost is for an operation that costs more than the caller may spend on one.
	RefusedCost Refusal = "cost"
	// RefusedRateLimit is for a caller that has spent what it may within a time.
	RefusedRateLimit Refusal = "rate_limit"
	// RefusedDocument is for a document that is not one of the trusted ones.
	RefusedDocument Refusal = "document"
	// RefusedNetwork is for a caller whose address may not come.
	RefusedNetwork Refusal = "network"
	// RefusedCSRF is for a request that a page of another site may have caused.
	RefusedCSRF Refusal = "csrf"
	// RefusedOverload is for a request for which the gateway has no room.
	RefusedOverload Refusal = "overload"
)

// Refusals returns all refusals.
func Refusals() []Refusal {
	return []Refusal{RefusedBlocked, RefusedCost, RefusedRateLimit, RefusedDocument, RefusedNetwork, RefusedCSRF, RefusedOverload}
}
