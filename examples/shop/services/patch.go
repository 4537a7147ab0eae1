package services

import "maps"

// mergePatch applies a JSON merge patch (RFC 7396) and leaves target as it was: a
// member that is absent stays, a null removes it, an object is merged into the
// one that is there, anything else takes its place.
func mergePatch(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, _ := target.(map[string]any)
	merged := maps.Clone(object)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(merged, name)
			continue
		}
		merged[name] = mergePatch(merged[name], value)
	}
	return merged
}
