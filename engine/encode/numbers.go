package encode

import (
	"encoding/json"
	"strconv"
	"strings"
)

// NumbersAt converts the texts at the ends of paths to JSON numbers, for services whose document
// wants a Decimal as a number. A path has the names of members with slashes between them, such as
// "lines/price", and leads through lists. A value that is not a text with a number stays as it is.
// NumbersAt changes v.
func NumbersAt(v any, paths ...string) any {
	return convertPaths(v, paths, func(end any) any {
		if text, ok := end.(string); ok && text != "" && strings.IndexByte("-0123456789", text[0]) >= 0 && json.Valid([]byte(text)) {
			return json.Number(text)
		}
		return end
	})
}

// StringsAt converts the whole numbers at the ends of paths to texts, for services whose document
// wants an Int64 as a string. Paths are those of NumbersAt. StringsAt changes v.
func StringsAt(v any, paths ...string) any {
	return convertPaths(v, paths, func(end any) any {
		switch end := end.(type) {
		case int64:
			return strconv.FormatInt(end, 10)
		case json.Number:
			return end.String()
		}
		return end
	})
}

func convertPaths(v any, paths []string, change func(any) any) any {
	for _, path := range paths {
		var names []string
		if path != "" {
			names = strings.Split(path, "/")
		}
		v = convertPath(v, names, change)
	}
	return v
}

// convertPath converts what lies at the end of names in v.
func convertPath(v any, names []string, change func(any) any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = convertPath(v[i], names, change)
		}
		return v
	case Object:
		for i := range v {
			if len(names) > 0 && v[i].Name == names[0] {
				v[i].Value = convertPath(v[i].Value, names[1:], change)
			}
		}
		return v
	}
	if len(names) > 0 {
		return v
	}
	return change(v)
}
