package openapi_test

import (
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

func Example() {
	document, err := openapi.Parse("users.yaml", []byte(`openapi: 3.1.0
info: {title: Users, version: "1"}
paths:
  /users/{id}:
    get:
      operationId: getUser
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: A user, content: {application/json: {schema: {$ref: '#/components/schemas/User'}}}}
components:
  schemas:
    User:
      type: object
      required: [phone]
      properties:
        phone: {type: [string, 'null']}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	operation := document.Find("GET", "/users/{$args.id}")
	user := operation.Success().JSON().Schema
	phone := openapi.Type{Name: "String", NonNull: true}
	fmt.Printf("%s %s\n", operation.ID, operation.Place)
	fmt.Printf("User.phone is %s, but %s\n", phone, phone.ReadPropertyMismatch(user.Property("phone")))
	// Output:
	// getUser users.yaml:5
	// User.phone is String!, but users.yaml:16 says it may be null; write String
}
