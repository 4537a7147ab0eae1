package services

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// chatRequest is the body of createChatCompletion.
type chatRequest struct {
	Model    string        `json:"model"`
	Stream   bool          `json:"stream"`
	Messages []chatMessage `json:"messages"`
}

type chatMessage struct {
	Role    string  `json:"role"`
	Content *string `json:"content"`
}

// chatCompletion is the document's ChatCompletion, and one piece of a stream.
type chatCompletion struct {
	ID      string       `json:"id"`
	Model   string       `json:"model"`
	Choices []chatChoice `json:"choices"`
}

type chatChoice struct {
	Index        int         `json:"index"`
	Message      chatMessage `json:"message"`
	FinishReason *string     `json:"finishReason"` // nil until the last piece of a stream
}

var roles = []string{"system", "user", "assistant"}

func (s *Store) chat(w http.ResponseWriter, r *http.Request) error {
	asked := chatRequest{Model: "pet-advisor-1"}
	if err := readInto(r, &asked); err != nil {
		return err
	}
	if err := asked.check(); err != nil {
		return err
	}
	id, advice := "chat_"+newID(), s.pets.advise(*asked.Messages[len(asked.Messages)-1].Content)
	if asked.Stream {
		return streamChat(w, id, asked.Model, advice)
	}
	return backend.WriteJSON(w, http.StatusOK, completion(id, asked.Model, advice, new("stop")))
}

func (c chatRequest) check() error {
	var faults check
	faults.that(len(c.Messages) > 0, "messages", "must have an element")
	for i, message := range c.Messages {
		field := fmt.Sprintf("messages[%d]", i)
		faults.that(message.Role != "", field+".role", "is required")
		faults.oneOf(field+".role", message.Role, roles)
		faults.that(message.Content != nil, field+".content", "is required")
	}
	return faults.err()
}

func completion(id, model, content string, finish *string) chatCompletion {
	message := chatMessage{Role: "assistant", Content: &content}
	return chatCompletion{ID: id, Model: model, Choices: []chatChoice{{Message: message, FinishReason: finish}}}
}

// streamChat sends a word at a time as server-sent events, then [DONE].
func streamChat(w http.ResponseWriter, id, model, advice string) error {
	backend.BeginStream(w)
	words := strings.SplitAfter(advice, " ")
	for i, word := range words {
		var finish *string
		if i == len(words)-1 {
			finish = new("stop")
		}
		piece, err := json.Marshal(completion(id, model, word, finish))
		if err != nil {
			return nil // the status is sent already; a completion always has a JSON form
		}
		if backend.Push(w, fmt.Sprintf("data: %s\n\n", piece)) != nil {
			return nil // the caller has left
		}
	}
	_ = backend.Push(w, "data: [DONE]\n\n")
	return nil
}

// advise names pets to adopt, of the species that the question speaks of.
func (p *pets) advise(question string) string {
	species := ""
	for _, name := range speciesNames {
		if strings.Contains(strings.ToUpper(question), name) {
			species = name
		}
	}
	q := petQuery{species: species, status: Available}
	found := slices.DeleteFunc(p.snapshot(), func(pet *Pet) bool { return !q.wants(pet) })
	if len(found) == 0 {
		return "Nobody like that waits for a home just now. Ask again next week."
	}
	var names []string
	for _, pet := range found[:min(3, len(found))] {
		names = append(names, pet.Name)
	}
	return fmt.Sprintf("%d wait for a home. Come and meet %s.", len(found), strings.Join(names, ", "))
}
