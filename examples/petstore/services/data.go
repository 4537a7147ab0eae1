package services

import (
	_ "embed"
	"encoding/json"
)

//go:embed data.json
var document []byte

// data is the shape of data.json.
type data struct {
	Pets    []Pet    `json:"pets"`
	Orders  []Order  `json:"orders"`
	Users   []User   `json:"users"`
	Keepers []string `json:"keepers"` // ids of the users who may change pets
}

// load reads the embedded data afresh, so that stores share no pointers. The data is
// part of the program: a mistake in it is a panic.
func load() data {
	var d data
	if err := json.Unmarshal(document, &d); err != nil {
		panic("services: data.json: " + err.Error())
	}
	return d
}
