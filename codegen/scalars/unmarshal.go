package scalars

import "github.com/gatehouse-graphql/gatehouse/engine/scalar"

// Unmarshal unmarshals a value of a scalar of Table as the gateway does for arguments, and returns
// the error. It accepts every value of other scalars. It is an input.ScalarFunc.
func Unmarshal(name string, v any) (err error) {
	switch name {
	case "Int64":
		_, err = scalar.UnmarshalInt64(v)
	case "Decimal":
		err = new(scalar.Decimal).UnmarshalGQL(v)
	case "DateTime":
		_, err = scalar.UnmarshalDateTime(v)
	case "Date":
		err = new(scalar.Date).UnmarshalGQL(v)
	case "UUID":
		err = new(scalar.UUID).UnmarshalGQL(v)
	case "URL":
		err = new(scalar.URL).UnmarshalGQL(v)
	}
	return err
}
