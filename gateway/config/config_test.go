package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file under testdata.
func golden(t *testing.T, file string, text []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("not as in %s (-update writes it anew)\ngot:\n%s\nwant:\n%s", file, text, want)
	}
}

// What no message may show, wherever it stands in the wrong files or their variables.
var planted = []string{"swordfish", "thirty-two", "hunter2", "123456789"}

func TestMistakesHavePlaces(t *testing.T) {
	files, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no wrong files", err)
	}
	t.Chdir("testdata/wrong")
	for _, file := range files {
		file = filepath.Base(file)
		t.Run(strings.TrimSuffix(file, ".yaml"), func(t *testing.T) {
			_, err := Load(LoadOptions{Path: file, Explicit: true, Env: []string{"PASSWORD=hunter2-hunter2"}})
			if err == nil {
				t.Fatal("accepted")
			}
			for _, secret := range planted {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%q shows in:\n%s", secret, err)
				}
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", []byte(err.Error()+"\n"))
		})
	}
}
