package services

import (
	_ "embed"
	"encoding/json"
)

//go:embed data.json
var dataJSON []byte

// data has the form of data.json. Exact numbers are json.Number or int64; none becomes a
// float64.
type data struct {
	Users    []User         `json:"users"`
	Products []Product      `json:"products"`
	Orders   []Order        `json:"orders"`
	Stock    map[string]int `json:"stock"`
}

// load decodes the embedded data anew, so that shops share no pointers. It panics if the data
// is malformed, since the data is part of the program.
func load() data {
	var d data
	if err := json.Unmarshal(dataJSON, &d); err != nil {
		panic("services: data.json: " + err.Error())
	}
	return d
}
