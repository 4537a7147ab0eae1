package input

// The texts of errors about values, as clients see them. Those about literals follow graphql-js, which
// clients know; those about variables follow the name and the path of the value. The scalars of
// engine/scalar have texts of their own there.
const (
	textInt     = "Int cannot represent non 32-bit signed integer value"   // and the value after a colon
	textFloat   = "Float cannot represent non numeric value"               // and the value after a colon
	textString  = "String cannot represent a non string value"             // and the value after a colon
	textBoolean = "Boolean cannot represent a non boolean value"           // and the value after a colon
	textID      = "ID cannot represent a non-string and non-integer value" // and the value after a colon

	textNullDirectiveArgument = "must not be null, since a directive requires it"
	textCircularDefault       = "%s.%s: the default value contains itself, by way of the defaults of its own fields"
	textDefault               = "%s: the default value does not fit: %s"
	textExpectedType          = "Expected value of type %q, found %s."
	textMissingField          = "Field %q of required type %q was not provided."
	textUndefinedField        = "Field %q is not defined by type %q.%s"
	textOneKey                = "OneOf Input Object %q must specify exactly one key."
	textNullField             = "Field %q must be non-null."
	textNonEnum               = "Enum %q cannot represent non-enum value: %s.%s"
	textNonStringEnum         = "Enum %q cannot represent non-string value: %s."
	textUnknownEnumValue      = "Value %s does not exist in %q enum.%s"
	textUndefined             = "must be defined"
	textNull                  = "cannot be null"
	textNotObject             = "must be a %s, not %s"
	textUnknownField          = "unknown field"
	textOneField              = "must have exactly one field, as every %s"
)
