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

// chatCompletion is the document's ChatCompletion, and one event of a stream.
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
	req := chatRequest{Model: "pet-advisor-1"}
	if err := readJSON(r, &req); err != nil {
		return err
	}
	if err := req.validate(); err != nil {
		return err
	}
	id, advice := "chat_"+newID(), s.pets.advise(*req.Messages[len(req.Messages)-1].Content)
	if req.Stream {
		return streamChat(w, id, req.Model, advice)
	}
	return backend.WriteJSON(w, http.StatusOK, completion(id, req.Model, advice, new("stop")))
}

func (c chatRequest) validate() error {
	var faults validation
	faults.require(len(c.Messages) > 0, "messages", "must have an element")
	for i, message := range c.Messages {
		field := fmt.Sprintf("messages[%d]", i)
		faults.require(message.Role != "", field+".role", "is required")
		faults.requireOneOf(field+".role", message.Role, roles)
		faults.require(message.Content != nil, field+".content", "is required")
	}
	return faults.err()
}

func completion(id, model, content string, finish *string) chatCompletion {
	message := chatMessage{Role: "assistant", Content: &content}
	return chatCompletion{ID: id, Model: model, Choices: []chatChoice{{Message: message, FinishReason: finish}}}
}

// streamChat sends one word in each event, and [DONE] at the end.
func streamChat(w http.ResponseWriter, id, model, advice string) error {
	backend.StartEventStream(w)
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
		if backend.WriteEvent(w, fmt.Sprintf("data: %s\n\n", piece)) != nil {
			return nil // the caller has left
		}
	}
	_ = backend.WriteEvent(w, "data: [DONE]\n\n")
	return nil
}

// advise names pets to adopt, of the species that the question mentions.
func (p *pets) advise(question string) string {
	species := ""
	for _, name := range speciesNames {
		if strings.Contains(strings.ToUpper(question), name) {
			species = name
		}
	}
	q := petQuery{species: species, status: Available}
	found := slices.DeleteFunc(p.snapshot(), func(pet *Pet) bool { return !q.matches(pet) })
	if len(found) == 0 {
		return "Nobody like that waits for a home just now. Ask again next week."
	}
	var names []string
	for _, pet := range found[:min(3, len(found))] {
		names = append(names, pet.Name)
	}
	return fmt.Sprintf("%d wait for a home. Come and meet %s.", len(found), strings.Join(names, ", "))
}
