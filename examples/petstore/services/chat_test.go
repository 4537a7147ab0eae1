package services

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChat(t *testing.T) {
	h := newHouse(t, Options{})
	tests := []struct{ body, model, want string }{
		{`{"messages":[{"role":"system","content":"be kind"},{"role":"user","content":"Which bird sings?"}]}`, "pet-advisor-1", "2 wait for a home. Come and meet Pico, Kiwi."},
		{`{"messages":[{"role":"user","content":"Hello"}],"model":"x","stream":false}`, "x", "23 wait for a home. Come and meet Whiskers, Barley, Pico."},
	}
	for _, test := range tests {
		got := read[chatCompletion](t, h.do(t, "POST /chat/completions", test.body).want(t, 200))
		want := completion(got.ID, test.model, test.want, new("stop"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	for _, pet := range load().Pets {
		if pet.Species == "BIRD" {
			h.do(t, "DELETE /pets/"+pet.ID, "").want(t, 204)
		}
	}
	got := read[chatCompletion](t, h.do(t, "POST /chat/completions", tests[0].body))
	if *got.Choices[0].Message.Content != "Nobody like that waits for a home just now. Ask again next week." {
		t.Errorf("without birds: %+v", got)
	}
}

func TestChatStream(t *testing.T) {
	h := newHouse(t, Options{})
	answer := h.raw(req{"POST /chat/completions", `{"stream":true,"messages":[{"role":"user","content":"A bird!"}]}`, []string{asJSON}}).want(t, 200)
	if got := answer.header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("Content-Type %q", got)
	}
	events := strings.Split(strings.TrimSuffix(answer.body, "\n\n"), "\n\n")
	said, finished := "", 0
	for _, event := range events[:len(events)-1] {
		var piece chatCompletion
		if err := json.Unmarshal([]byte(strings.TrimPrefix(event, "data: ")), &piece); err != nil {
			t.Fatal(err)
		}
		said += *piece.Choices[0].Message.Content
		if piece.Choices[0].FinishReason != nil {
			finished++
		}
	}
	if said != "2 wait for a home. Come and meet Pico, Kiwi." || finished != 1 || events[len(events)-1] != "data: [DONE]" {
		t.Errorf("stream %s", answer.body)
	}
}
