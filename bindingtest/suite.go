package bindingtest

import (
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// suite is the content of a file of tests.
type suite struct {
	sources config.Sources     // their settings by name, whose urls are not used
	env     map[string]*string // variables of the environment; nil is one that is not set
	tests   []*test
}

// test is an operation with its canned responses and what it expects.
type test struct {
	line      int
	name      string
	connector [2]string // the type and the field of the binding
	query     string
	variables any
	caller    *auth.Identity // nil is an anonymous caller
	headers   http.Header    // of the client's request
	env       map[string]*string
	calls     []*call   // in the order written; the call of the connector is the last
	response  *expected // the value of the field; nil is not compared
	data      *expected // the data of the whole response; nil is not compared
	errors    []expectedError
	degraded  []expectedDegraded
}

// call is a call that a test expects exactly once, with its canned response.
type call struct {
	line     int
	want     *expectedRequest // nil accepts any call
	response cannedResponse
}

// cannedResponse is the response of a service.
type cannedResponse struct {
	status int
	header http.Header
	body   string
}

// expectedError is an error that the response must have. Empty fields are not compared.
type expectedError struct {
	line             int
	code, message    string
	path, extensions *expected
}

// expectedDegraded is a degraded field that the response must list. Empty fields are not compared.
type expectedDegraded struct {
	line                int
	mode, code, service string
	path                *expected
}
