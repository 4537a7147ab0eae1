package config_test

import (
	"fmt"
	"os"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

func ExampleLoad() {
	file := "example.yaml"
	defer os.Remove(file)
	if err := os.WriteFile(file, []byte("limits:\n  depht: 10\n"), 0o600); err != nil {
		fmt.Println(err)
	}

	_, err := config.Load(config.LoadOptions{Path: file, Explicit: true, Env: []string{"GATEWAY_LIMITS_TOKENS=many"}})
	fmt.Println(err)
	// Output:
	// 2 mistakes in the settings
	//
	// GATEWAY_LIMITS_TOKENS: limits.tokens: must be a whole number, not "many"
	//
	// example.yaml:2:3: limits.depht: no such setting; did you mean "depth"?
	//     2 |   depht: •••
	//       |   ^
}
