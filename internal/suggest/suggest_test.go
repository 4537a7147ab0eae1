package suggest

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"depth", "tokens", "rootFields", "Depths"}
	for _, c := range []struct {
		name string
		want int
	}{
		{"depth", 0},
		{"depht", 0},
		{"DEPTH", 0},
		{"depths", 3},
		{"rootfeilds", 2},
		{"rootFieldsLimit", 2},
		{"selections", -1},
		{"x", -1},
		{"", -1},
	} {
		if got := Nearest(c.name, known); got != c.want {
			t.Errorf("Nearest(%q) is %d, want %d", c.name, got, c.want)
		}
	}
	if got := Nearest("depth", nil); got != -1 {
		t.Errorf("without known names it is %d", got)
	}
}

func TestDidYouMean(t *testing.T) {
	for _, c := range []struct {
		name  string
		known string // separated by spaces
		want  string
	}{
		{"timout", "retries timeout", `; did you mean "timeout"?`},
		{"size", "key", "; there is key"},
		{"size", "key count", "; there are key, count"},
		{"size", "", ""},
		{"size", strings.Repeat("k ", maxListed), "; there are " + strings.TrimSuffix(strings.Repeat("k, ", maxListed), ", ")},
		{"size", strings.Repeat("k ", maxListed+1), ""},
	} {
		if got := DidYouMean(c.name, strings.Fields(c.known)); got != c.want {
			t.Errorf("DidYouMean(%q, %q) is %q, want %q", c.name, c.known, got, c.want)
		}
	}
}
