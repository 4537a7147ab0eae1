package limit

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// scanner counts tokens as they are read, so that a text which asks too much is
// refused before a parser recurses into it or a tree of it fills the memory.
type scanner struct {
	limits Options

	tokens     int
	directives int
	nesting    int // brackets of all kinds that are open
	parens     int // round ones among them: a colon outside of these makes an alias
	aliases    int // in the definition that is being read
}

// scan reads query to its end, to the first broken limit, or to the first thing that
// is no token: the parser stops there too, and words that error better.
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
		if err := s.see(token); err != nil {
			return s.tokens, err
		}
	}
}

// see counts one token. Limits that tell more come before the plain number of tokens.
func (s *scanner) see(token lexer.Token) error {
	switch token.Kind {
	case lexer.BraceL, lexer.BracketL:
		s.nesting++
	case lexer.ParenL:
		s.nesting++
		s.parens++
	case lexer.BraceR, lexer.BracketR:
		s.close()
	case lexer.ParenR:
		s.close()
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

// close ends a bracket, and with the outermost one the definition it belongs to.
func (s *scanner) close() {
	s.nesting--
	if s.nesting <= 0 {
		s.aliases = 0
	}
}

func (s *scanner) check(token lexer.Token) error {
	switch {
	case s.nesting > maxNesting:
		return fault.New(fault.MaxDepth, "the document nests more than %d brackets", maxNesting)
	case over(s.directives, s.limits.Directives):
		return fault.New(fault.MaxDirectives,
			"the document applies more than %d directives, which is the limit", s.limits.Directives)
	case over(s.aliases, s.limits.Aliases):
		return fault.New(fault.MaxAliases,
			"the operation uses more than %d aliases, which is the limit", s.limits.Aliases)
	case over(s.tokens, s.limits.Tokens):
		return fault.New(fault.ParseFailed,
			"the document has more than %d tokens, which is the limit", s.limits.Tokens)
	case token.Kind == lexer.Name && len(token.Value) > maxName:
		return fault.New(fault.ParseFailed, "the document has a name of more than %d bytes", maxName)
	}
	return nil
}
