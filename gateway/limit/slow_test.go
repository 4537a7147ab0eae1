package limit_test

import "github.com/vektah/gqlparser/v2/ast"

// slowCount counts selections as the definition of the limit says, without memory.
// It stops soon after 200, which is all that its caller asks.
func slowCount(doc *ast.QueryDocument, set ast.SelectionSet) int {
	total := 0
	for _, selection := range set {
		total++
		switch it := selection.(type) {
		case *ast.Field:
			total += slowCount(doc, it.SelectionSet)
		case *ast.InlineFragment:
			total += slowCount(doc, it.SelectionSet)
		case *ast.FragmentSpread:
			if fragment := doc.Fragments.ForName(it.Name); fragment != nil {
				total += slowCount(doc, fragment.SelectionSet)
			}
		}
		if total > 200 {
			break
		}
	}
	return total
}
