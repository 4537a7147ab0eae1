package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// HSTS says how browsers are told to use TLS alone (Strict-Transport-Security, RFC 6797). It is sent with
// responses over TLS only, as the RFC demands.
type HSTS struct {
	// MaxAge is how long a browser uses TLS alone for this host, on all of its ports, after a response. In
	// that time nothing takes it back, so begin with 5m and end with a year, 8760h. Default 0s, which
	// sends no header.
	MaxAge time.Duration `yaml:"maxAge"`
	// IncludeSubdomains extends it to all subdomains of the host. Default false.
	IncludeSubdomains bool `yaml:"includeSubdomains"`
	// Preload asks for a place in the lists that browsers have built in (hstspreload.org), which need
	// includeSubdomains and a year. Default false.
	Preload bool `yaml:"preload"`
}

// year is the least maxAge for preloading.
const year = 365 * 24 * time.Hour

// Validate returns the settings that are wrong, as joined errors that begin with the name of the setting.
func (o HSTS) Validate() error {
	var errs []error
	if o.MaxAge < 0 || o.MaxAge > 0 && o.MaxAge < time.Second {
		errs = append(errs, fmt.Errorf("maxAge: must be at least 1s, or 0s for no header, not %s", o.MaxAge))
	}
	if o.IncludeSubdomains && o.MaxAge == 0 {
		errs = append(errs, errors.New("includeSubdomains: has no effect without maxAge; set maxAge as well"))
	}
	if o.Preload && (!o.IncludeSubdomains || o.MaxAge < year) {
		errs = append(errs, errors.New("preload: needs includeSubdomains: true and a maxAge of at least 8760h, or the lists refuse the host"))
	}
	return errors.Join(errs...)
}

// value returns the value of Strict-Transport-Security; "" for none.
func (o HSTS) value() string {
	if o.MaxAge < time.Second {
		return ""
	}
	value := "max-age=" + strconv.FormatInt(int64(o.MaxAge/time.Second), 10)
	if o.IncludeSubdomains {
		value += "; includeSubDomains"
	}
	if o.Preload {
		value += "; preload"
	}
	return value
}

// nosniff keeps browsers from reading a response as another media type than that of its Content-Type
// (https://fetch.spec.whatwg.org/#x-content-type-options-header), and pages of other origins from reading
// it as a script, a style sheet or a picture. All responses share it.
var nosniff = []string{"nosniff"}

// SecurityHeaders adds the headers that every response has, whatever serves it. Pages have more of them,
// from their handlers.
func SecurityHeaders(o HSTS) Middleware {
	var hsts []string
	if value := o.value(); value != "" {
		hsts = []string{value}
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h["X-Content-Type-Options"] = nosniff
			if r.TLS != nil && hsts != nil {
				h["Strict-Transport-Security"] = hsts
			}
			next.ServeHTTP(w, r)
		})
	}
}
