package encode

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Numbers makes JSON numbers of the texts at the ends of paths: names of members with
// slashes between them, such as "lines/price", which lead through lists, too. A text that
// is no number stays, and so does what is no text. It changes v.
func Numbers(v any, paths ...string) any {
	return convertPaths(v, paths, func(end any) any {
		if text, ok := end.(string); ok && text != "" && strings.IndexByte("-0123456789", text[0]) >= 0 && json.Valid([]byte(text)) {
			return json.Number(text)
		}
		return end
	})
}

// Texts makes texts of the whole numbers at the ends of paths, as Numbers has them. It
// changes v.
func Texts(v any, paths ...string) any {
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

// convertPath changes what lies at the end of names.
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
