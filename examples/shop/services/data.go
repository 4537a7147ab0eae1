package services

import (
	_ "embed"
	"encoding/json"
)

//go:embed data.json
var document []byte

// data is the shape of data.json. Numbers that must stay exact are json.Number or
// int64 in the types below it; nothing passes through a float.
type data struct {
	Users    []User         `json:"users"`
	Products []Product      `json:"products"`
	Orders   []Order        `json:"orders"`
	Stock    map[string]int `json:"stock"`
}

// load reads the embedded data afresh, so that shops share no pointers. The data
// is part of the program: a mistake in it is a panic.
func load() data {
	var d data
	if err := json.Unmarshal(document, &d); err != nil {
		panic("services: data.json: " + err.Error())
	}
	return d
}
