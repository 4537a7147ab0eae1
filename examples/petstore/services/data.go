package services

import (
	_ "embed"
	"encoding/json"
)

//go:embed data.json
var dataJSON []byte

// data has the form of data.json.
type data struct {
	Pets    []Pet    `json:"pets"`
	Orders  []Order  `json:"orders"`
	Users   []User   `json:"users"`
	Keepers []string `json:"keepers"` // ids of the users who may change pets
}

// load decodes the embedded data anew, so that stores share no pointers. It panics if the data
// is malformed, since the data is part of the program.
func load() data {
	var d data
	if err := json.Unmarshal(dataJSON, &d); err != nil {
		panic("services: data.json: " + err.Error())
	}
	return d
}
