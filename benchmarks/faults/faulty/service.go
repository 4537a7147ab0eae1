package faulty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Items is how many users and products are listed. Others exist as well: by id, every user, product and
// order does.
const Items = 20

type object = map[string]any

// Service returns a handler with the shop's REST services, users, products and orders, as far as the
// operations here need them. It keeps nothing: its responses follow from the requests alone, so that
// replicas agree whatever was changed.
func Service() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, object{"items": listed(r, "U-", user), "nextCursor": nil})
	})
	mux.HandleFunc("POST /users", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusCreated, user("created"))
	})
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, user(r.PathValue("id")))
	})
	mux.HandleFunc("PATCH /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, user(r.PathValue("id")))
	})
	mux.HandleFunc("DELETE /users/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /products", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, object{"data": listed(r, "P-", product), "total": Items})
	})
	mux.HandleFunc("GET /products/{sku}", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, product(r.PathValue("sku")))
	})
	mux.HandleFunc("GET /stock", func(w http.ResponseWriter, _ *http.Request) {
		stock := object{}
		for i := range Items {
			stock[fmt.Sprint("P-", i)] = i
		}
		writeJSON(w, http.StatusOK, stock)
	})
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, order(r.PathValue("id")))
	})
	mux.HandleFunc("GET "+HealthPath, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, object{"status": "ok"}) })
	return mux
}

// listed returns the objects that ids names, or the first ones.
func listed(r *http.Request, prefix string, one func(string) object) []object {
	list := []object{}
	if ids, ok := r.URL.Query()["ids"]; ok {
		for id := range strings.SplitSeq(strings.Join(ids, ","), ",") {
			list = append(list, one(id))
		}
		return list
	}
	for i := range Items {
		list = append(list, one(fmt.Sprint(prefix, i)))
	}
	return list
}

func user(id string) object {
	return object{
		"id": id, "name": "user " + id, "email": id + "@example.com", "role": "customer", "phone": nil, "address": nil,
		"created-by": "import", "createdAt": "2026-01-10T09:30:00Z",
	}
}

func product(sku string) object {
	return object{
		"sku": sku, "name": "product " + sku, "description": nil, "price": 7.5, "currency": "EUR", "rating": 3.5,
		"category": object{"id": "books", "name": "Books", "parent": nil},
		"details":  object{"kind": "BookDetails", "isbn": "978-0-00-100000-0", "pages": 120}, "related": []string{"P-1", "P-2"},
	}
}

func order(id string) object {
	price := object{"amount": "7.50", "currency": "EUR"}
	return object{
		"id": id, "userId": "U-1", "status": "paid", "lines": []object{{"productId": "P-1", "quantity": 1, "unitPrice": price}},
		"total": price, "payment": nil, "note": nil, "metadata": nil, "replaces": nil, "placedAt": "2026-01-10T09:30:00Z",
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
