package binding

import (
	"embed"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Check explains a code to the users who meet it.
type Check struct {
	Code  Code
	Title string // what is wrong, in a few words
	Text  string // what is checked, what would go wrong without the check, and what to do, in Markdown
	Wrong string // SDL that has this mistake alone, together with the schema of docs/checks.md
	Right string // the same SDL without the mistake
}

// explanations holds a file for each code.
//
//go:embed explanations/*.md
var explanations embed.FS

// Checks returns the explanations of all codes, in the order of the codes. docs/checks.md is
// generated from them, and a test runs every example.
var Checks = sync.OnceValue(readChecks)

// readChecks reads the embedded files. It panics on one that is malformed, which a test would find
// first.
func readChecks() []Check {
	files, err := explanations.ReadDir("explanations") // in the order of their names
	if err != nil {
		panic(err)
	}
	checks := make([]Check, len(files))
	for i, file := range files {
		text, err := explanations.ReadFile("explanations/" + file.Name())
		if err == nil {
			checks[i], err = parseCheck(string(text))
		}
		if err == nil && string(checks[i].Code)+".md" != file.Name() {
			err = fmt.Errorf("the file explains %s", checks[i].Code)
		}
		if err != nil {
			panic(fmt.Errorf("codegen/binding/explanations/%s: %w", file.Name(), err))
		}
	}
	return checks
}

// checkFile is the layout of an explanation: a heading with the code and the title, the text, and
// the two examples.
var checkFile = regexp.MustCompile(`(?s)\A# (GH\d{3}) ([^\n]+)\n\n(.+)\n\n` +
	"Wrong:\n\n```graphql\n(.+)\n```\n\nRight:\n\n```graphql\n(.+)\n```\n\\z")

// parseCheck reads an explanation.
func parseCheck(text string) (Check, error) {
	m := checkFile.FindStringSubmatch(strings.ReplaceAll(text, "\r\n", "\n"))
	if m == nil {
		return Check{}, fmt.Errorf("it is not laid out as the other explanations are")
	}
	return Check{Code: Code(m[1]), Title: m[2], Text: m[3], Wrong: m[4], Right: m[5]}, nil
}
