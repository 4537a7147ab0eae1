package limit

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// scanner counts tokens as they are read, so that a text beyond the limits is refused before the parser
// recurses into it or its tree fills the memory.
type scanner struct {
	limits Options

	tokens     int
	directives int
	nesting    int // open brackets of all kinds
	parens     int // open parentheses; a colon outside of them belongs to an alias
	aliases    int // in the current definition
}

// scan counts the tokens of a query up to its end, to the first limit that is exceeded, or to the first
// text that is not a token.
func scan(query string, limits Options) (tokens int, err error) {
	text := lexer.New(&ast.Source{Input: query})
	s := scanner{limits: limits}
	for {
		token, err := text.ReadToken()
		if err != nil {
			return s.tokens, syntaxError(err)
		}
		if token.Kind == lexer.EOF {
			return s.tokens, nil
		}
		if err := s.count(token); err != nil {
			return s.tokens, err
		}
	}
}

// count counts one token and checks the limits.
func (s *scanner) count(token lexer.Token) error {
	switch token.Kind {
	case lexer.BraceL, lexer.BracketL:
		s.nesting++
	case lexer.ParenL:
		s.nesting++
		s.parens++
	case lexer.BraceR, lexer.BracketR:
		s.closeBracket()
	case lexer.ParenR:
		s.closeBracket()
		s.parens--
	case lexer.At:
		s.directives++
	case lexer.Colon:
		if s.parens == 0 {
			s.aliases++
		}
	}
	s.tokens++
	return s.check(token)
}

// closeBracket counts a closing bracket. The outermost one ends its definition.
func (s *scanner) closeBracket() {
	s.nesting--
	if s.nesting <= 0 {
		s.aliases = 0
	}
}

// check checks the limits. Those whose message is more specific come before the number of tokens.
func (s *scanner) check(token lexer.Token) error {
	switch {
	case s.nesting > maxNesting:
		return fault.New(fault.MaxDepth, "the document nests more than %d brackets", maxNesting)
	case exceeds(s.directives, s.limits.Directives):
		return fault.New(fault.MaxDirectives,
			"the document applies more than %d directives, which is the limit", s.limits.Directives)
	case exceeds(s.aliases, s.limits.Aliases):
		return fault.New(fault.MaxAliases,
			"the operation uses more than %d aliases, which is the limit", s.limits.Aliases)
	case exceeds(s.tokens, s.limits.Tokens):
		return fault.New(fault.ParseFailed,
			"the document has more than %d tokens, which is the limit", s.limits.Tokens)
	case token.Kind == lexer.Name && len(token.Value) > maxName:
		return fault.New(fault.ParseFailed, "the document has a name of more than %d bytes", maxName)
	}
	return nil
}
