package everything

import (
	"slices"
	"strings"
	"testing"
)

// shape is an operation over responses, with the expected data and paths of errors.
type shape struct {
	query   string
	answers map[string]string
	want    string
	paths   []string
}

func (s shape) check(t *testing.T) {
	t.Helper()
	data, paths := queryFaults(t, &service{answers: s.answers}, s.query)
	if data != s.want || !slices.Equal(paths, s.paths) {
		t.Errorf("%s over %v\n got %s %v\nwant %s %v", s.query, s.answers, data, paths, s.want, s.paths)
	}
}

// flatResponses returns a response to Query.flat whose item has further members, which override
// those before.
func flatResponses(members ...string) map[string]string {
	item := `{"inner": {"must": 1}, "words": [], "st": "x"}`
	if len(members) > 0 {
		item = withMembers(item, members...)
	}
	return map[string]string{"/flat/7": `{"data": [` + item + `, 5]}`}
}

// Each operator of a selection is applied to values that it is for, to absent ones, and to others.
func TestSelections(t *testing.T) {
	for _, f := range []struct {
		fields  string
		members []string
		want    string // of the fields
		paths   []string
	}{
		// Values of the request, and literals.
		{`id note who kind twelve nothing list`, nil, `"id":"7","note":"n","who":"u/1","kind":"card","twelve":12,"nothing":null,"list":[1,2]`, nil},
		// Paths.
		{`name`, []string{`"full_name": "f"`}, `"name":"f"`, nil},
		{`name`, nil, `"name":null`, nil},
		{`name`, []string{`"full_name": 5`}, `"name":null`, []string{"flat.name"}},
		{`must`, nil, `"must":1`, nil},
		{`must`, []string{`"inner": {}`}, `!`, []string{"flat.must"}},
		{`must`, []string{`"inner": null`}, `!`, []string{"flat.must"}},
		{`must`, []string{`"inner": 5`}, `!`, []string{"flat.must"}},
		{`id`, []string{`"inner": 5`}, `"id":"7"`, nil},
		{`maybe`, []string{`"inner": {"must": 1, "maybe": {"deep": 4}}`}, `"maybe":4`, nil},
		{`maybe`, []string{`"inner": {"must": 1, "maybe": null}`}, `"maybe":null`, nil},
		{`maybe`, []string{`"inner": {"must": 1, "maybe": [4]}`}, `"maybe":null`, []string{"flat.maybe"}},
		{`odd`, []string{`"odd name": {"in-ner": 6}`}, `"odd":6`, nil},
		{`odd`, []string{`"odd name": {"in-ner": "6"}`}, `"odd":null`, []string{"flat.odd"}},
		// Lists.
		{`first last labels mustLabels joined`, []string{`"tags": [{"label": "a"}, {"label": "b"}]`}, `"first":"a","last":"b","labels":["a","b"],"mustLabels":["a","b"],"joined":"a, b"`, nil},
		{`first last labels mustLabels joined`, []string{`"tags": []`}, `"first":null,"last":null,"labels":[],"mustLabels":[],"joined":""`, nil},
		{`first last labels mustLabels joined`, nil, `"first":null,"last":null,"labels":null,"mustLabels":null,"joined":null`, nil},
		{
			`first last labels mustLabels joined`,
			[]string{`"tags": {}`},
			`"first":null,"last":null,"labels":null,"mustLabels":null,"joined":null`,
			[]string{"flat.first", "flat.joined", "flat.labels", "flat.last", "flat.mustLabels"},
		},
		{
			`first last labels mustLabels`,
			[]string{`"tags": [{}, {"label": 5}]`},
			`"first":null,"last":null,"labels":[null,null],"mustLabels":null`,
			[]string{"flat.labels.1", "flat.last", "flat.mustLabels.0"},
		},
		{`labels joined`, []string{`"tags": [{}, {"label": "b"}, null]`}, `"labels":[null,"b",null],"joined":"b"`, nil},
		{`joined`, []string{`"tags": [{"label": "a"}, {"label": []}]`}, `"joined":null`, []string{"flat.joined"}},
		{`words`, []string{`"words": ["a", null, 1, true]`}, `"words":"a-1-true"`, nil},
		{`words`, []string{`"words": [{}]`}, `!`, []string{"flat.words"}},
		{`groups`, []string{`"sections": [{"title": "t"}, 5]`}, `"groups":["t",null]`, []string{"flat.groups.1"}},
		// Choices.
		{`state maybeState number`, []string{`"st": "a"`}, `"state":"ON","maybeState":"ON","number":1`, nil},
		{`state maybeState number`, []string{`"st": "b"`}, `"state":"OFF","maybeState":null,"number":null`, nil},
		{`state maybeState number`, []string{`"st": true`}, `"state":"ON","maybeState":null,"number":3`, nil},
		{`state number`, []string{`"st": {"a": [1]}`}, `"state":"OFF","number":3`, nil},
		{`done one`, []string{`"status": "done"`}, `"done":true,"one":true`, nil},
		{`done one`, []string{`"status": ["done"]`, `"inner": {"must": 1.0}`}, `"done":false,"one":true`, nil},
		{`done`, nil, `"done":false`, nil},
		// Groups and objects.
		{`address {street city}`, []string{`"addr_street": "s"`, `"addr": {"city": "c"}`}, `"address":{"street":"s","city":"c"}`, nil},
		{`address {street}`, []string{`"addr_street": 5`}, `"address":{"street":null}`, []string{"flat.address.street"}},
		{`address {street city}`, nil, `"address":null`, []string{"flat.address.city"}},
		{`spot {lat lon}`, []string{`"position": {"lat": 1.5, "long": 2}`}, `"spot":{"lat":1.5,"lon":2}`, nil},
		{`spot {lat}`, []string{`"position": {"lat": "x"}`}, `"spot":{"lat":null}`, []string{"flat.spot.lat"}},
		{`spot {lon}`, []string{`"position": {}`}, `"spot":null`, []string{"flat.spot.lon"}},
		{`spot {lon}`, []string{`"position": null`}, `"spot":null`, nil},
		{`spot {lon}`, []string{`"position": 5`}, `"spot":null`, []string{"flat.spot"}},
		{`friends {id name} best {id name}`, []string{`"friends": [{"id": 1, "called": "c", "nick": "n"}]`}, `"friends":[{"id":"1","name":null}],"best":{"id":"1","name":"n"}`, nil},
		{`friends {id} best {id}`, []string{`"friends": [{}, 5]`}, `"friends":null,"best":null`, []string{"flat.best.id", "flat.friends.1"}},
		{`friends {id} best {id}`, []string{`"friends": []`}, `"friends":[],"best":null`, nil},
		// Objects as lists of entries: by the type's shape, and by ->entries.
		{`attributes {key value} entries {key value}`, []string{`"attributes": {"a": 1, "b": null}`, `"pairs": {"c": 2}`}, `"attributes":[{"key":"a","value":1},{"key":"b","value":null}],"entries":[{"key":"c","value":2}]`, nil},
		{`attributes {key}`, []string{`"attributes": [{"key": "k"}]`}, `"attributes":[{"key":"k"}]`, nil},
		{
			`attributes {key value} entries {key value}`,
			[]string{`"attributes": {"a": "x"}`, `"pairs": {"c": 2, "d": []}`},
			`"attributes":[{"key":"a","value":null}],"entries":[{"key":"c","value":2},{"key":"d","value":null}]`,
			[]string{"flat.attributes.0.value", "flat.entries.1.value"},
		},
		{`entries {key}`, []string{`"pairs": 5`}, `"entries":null`, []string{"flat.entries"}},
	} {
		want := `{"flat":{` + f.want + `}}`
		if f.want == "!" {
			want = `{"flat":null}`
		}
		shape{`{flat(id: 7, note: "n") {` + f.fields + `}}`, flatResponses(f.members...), want, f.paths}.check(t)
	}
	for _, whole := range []shape{
		{`{flat(id: 7) {id note}}`, flatResponses(), `{"flat":{"id":"7","note":null}}`, nil},
		{`{flat(id: 7) {id}}`, map[string]string{"/flat/7": `{"data": []}`}, `{"flat":null}`, nil},
		{`{flat(id: 7) {id}}`, map[string]string{"/flat/7": `{}`}, `{"flat":null}`, nil},
		{`{flat(id: 7) {id}}`, map[string]string{"/flat/7": `{"data": {}}`}, `{"flat":null}`, []string{"flat"}},
		{`{flat(id: 7) {id}}`, map[string]string{"/flat/7": `{"data": [5]}`}, `{"flat":null}`, []string{"flat"}},
		{`{tables {key value {key value}}}`, map[string]string{"/tables": `{"t": {"a": 1}, "u": {}}`}, `{"tables":[{"key":"t","value":[{"key":"a","value":1}]},{"key":"u","value":[]}]}`, nil},
		{`{tables {key value {value}}}`, map[string]string{"/tables": `{"t": {"a": "x"}}`}, `{"tables":[{"key":"t","value":[{"value":null}]}]}`, []string{"tables.0.value.0.value"}},
		{`{tables {key value {value}}}`, map[string]string{"/tables": `{"t": 5}`}, `{"tables":null}`, []string{"tables.0.value"}},
	} {
		whole.check(t)
	}
}

// A selection of a batch is applied to each of its items or members.
func TestSelectionsOfBatches(t *testing.T) {
	pets := `{"items": [{"title": "a", "owner": {"id": "o1"}}, {"title": 5, "owner": {"id": "o2"}}, {"title": "c", "owner": {"id": "o1"}}]}`
	for _, f := range []struct {
		field, path, answer string
		want                string // of the owners o1 and o2
		paths               []string
	}{
		{"pet {name owner}", "/pets", pets, `{"name":"c","owner":"o1"} {"name":null,"owner":"o2"}`, []string{"owners.1.x.name"}},
		{"pets {name}", "/pets", pets, `[{"name":"a"},{"name":"c"}] [{"name":null}]`, []string{"owners.1.x.0.name"}},
		{"pets {name}", "/pets", `{"items": [{"title": "a", "owner": {"id": "o1"}}]}`, `[{"name":"a"}] []`, nil},
		{"pet {name}", "/pets", `{"items": [{"title": "a", "owner": 5}, {"title": "b", "owner": {"id": "o2"}}]}`, `null {"name":"b"}`, []string{"owners.0.x"}},
		{`petOf(note: "n") {name owner}`, "/petMap", `{"map": {"o1": {"who": "w"}, "o2": {"who": []}}}`, `{"name":"n","owner":"w"} null`, []string{"owners.1.x.owner"}},
		{"petsOf {name}", "/petsMap", `{"map": {"o1": [{"title": "t", "who": 1}, {"title": 5, "who": 1}, {}], "o2": 5}}`, `[{"name":"t"},{"name":null},{"name":null}] null`, []string{"owners.0.x.1.name", "owners.1.x"}},
		{"petsOf {owner}", "/petsMap", `{"map": {"o1": [{}, {"who": 2}, null], "o2": []}}`, `[null,{"owner":"2"},null] []`, []string{"owners.0.x.0.owner"}},
		{"tag {name owner}", "/tag/o1", `{"label": ["l"]}`, `{"name":"l","owner":"o1"} null`, nil},
		{"state", "/states", `{"o1": "a", "o2": 5}`, `"ON" "OFF"`, nil},
		{"state", "/states", `{"o1": "b"}`, `"OFF" null`, nil},
		{"state", "/states", `[]`, `null null`, []string{"owners.0.x", "owners.1.x"}},
		{"attributes {key value}", "/attributes", `{"o1": {"a": 1}, "o2": [{"key": "k"}]}`, `[{"key":"a","value":1}] [{"key":"k","value":null}]`, nil},
		// Unions in the answers to batches.
		{"pay {... on Card {last4}}", "/payMap", `{"o1": {"last4": "1", "method": "credit-card"}, "o2": {"method": "x"}}`, `{"last4":"1"} null`, []string{"owners.1.x"}},
		{"pays {... on Card {last4}}", "/paysMap", `{"o1": [{"method": "x"}, null, {"last4": "1", "method": "credit-card"}], "o2": [{"method": "credit-card"}]}`, `[null,null,{"last4":"1"}] [null]`, []string{"owners.0.x.0", "owners.1.x.0.last4"}},
	} {
		values := strings.Split(f.want, " ")
		want := `{"owners":[{"x":` + values[0] + `},{"x":` + values[1] + `}]}`
		answers := map[string]string{"/owners": `[{"id": "o1"}, {"id": "o2"}]`, f.path: f.answer}
		shape{`{owners {x: ` + f.field + `}}`, answers, want, f.paths}.check(t)
	}
	// The same call with other values of the request in its selection is another call.
	shape{
		`{owners {a: petOf(note: "1") {name} b: petOf(note: "2") {name}}}`,
		map[string]string{"/owners": `[{"id": "o1"}]`, "/petMap": `{"map": {"o1": {"who": "w"}}}`},
		`{"owners":[{"a":{"name":"1"},"b":{"name":"2"}}]}`, nil,
	}.check(t)
}

// A member shows the type of an object behind a union or an interface, wherever it stands among the
// members.
func TestAbstractTypes(t *testing.T) {
	const pay = `{__typename ... on Card {last4} ... on Cash {amount method}}`
	const card, cash = `{"last4": "1", "method": "credit-card"}`, `{"amount": 1.5, "method": 1}`
	const isCard, isCash = `{"__typename":"Card","last4":"1"}`, `{"__typename":"Cash","amount":"1.5","method":1}`
	for _, s := range []shape{
		{`{pay ` + pay + `}`, map[string]string{"/pay": card}, `{"pay":` + isCard + `}`, nil},
		{`{pay ` + pay + `}`, map[string]string{"/pay": cash}, `{"pay":` + isCash + `}`, nil},
		{`{pay ` + pay + `}`, map[string]string{"/pay": `{"method": "credit-card", "last4": "1", "method": 1, "amount": 1.5}`}, `{"pay":` + isCash + `}`, nil},
		{`{pay ` + pay + `}`, nil, `{"pay":null}`, nil},
		{`{pay ` + pay + `}`, map[string]string{"/pay": `{"last4": "1"}`}, `{"pay":null}`, []string{"pay"}},
		{`{pay ` + pay + `}`, map[string]string{"/pay": `{"method": null}`}, `{"pay":null}`, []string{"pay"}},
		{`{pay ` + pay + `}`, map[string]string{"/pay": `{"method": {"method": "credit-card"}}`}, `{"pay":null}`, []string{"pay"}},
		{`{pay ` + pay + `}`, map[string]string{"/pay": `{"method": "Card"}`}, `{"pay":null}`, []string{"pay"}},
		{`{pay ` + pay + `}`, map[string]string{"/pay": `[]`}, `{"pay":null}`, []string{"pay"}},
		{`{mustPay ` + pay + `}`, map[string]string{"/pay": `{"method": "x"}`}, `null`, []string{"mustPay"}},
		{`{mustPay ` + pay + `}`, nil, `null`, []string{"mustPay"}},
		// A fault inside belongs to the member.
		{`{pay ` + pay + `}`, map[string]string{"/pay": `{"amount": [], "method": 1}`}, `{"pay":{"__typename":"Cash","amount":null,"method":1}}`, []string{"pay.amount"}},
		{`{pay ` + pay + `}`, map[string]string{"/pay": `{"method": "credit-card"}`}, `{"pay":null}`, []string{"pay.last4"}},
		{`{pay {__typename}}`, map[string]string{"/pay": `{"method": "credit-card"}`}, `{"pay":{"__typename":"Card"}}`, nil},
		// In lists only the item fails, if it is nullable.
		{`{pays ` + pay + `}`, map[string]string{"/pays": `[` + card + `, {"method": "x"}, null, {}, 5, ` + cash + `]`}, `{"pays":[` + isCard + `,null,null,null,null,` + isCash + `]}`, []string{"pays.1", "pays.3", "pays.4"}},
		{`{mustPays ` + pay + `}`, map[string]string{"/pays": `{"items": [` + card + `, {"method": "x"}]}`}, `null`, []string{"mustPays.1"}},
		{`{mustPays ` + pay + `}`, map[string]string{"/pays": `{"items": [` + card + `]}`}, `{"mustPays":[` + isCard + `]}`, nil},
		// In objects.
		{
			`{wallet {main ` + pay + ` must ` + pay + ` others ` + pay + ` mustOthers ` + pay + `}}`,
			map[string]string{"/wallet": `{"main": {"method": "x"}, "must": ` + card + `, "others": [{}, null], "mustOthers": [` + cash + `, null]}`},
			`{"wallet":{"main":null,"must":` + isCard + `,"others":[null,null],"mustOthers":null}}`,
			[]string{"wallet.main", "wallet.mustOthers.1", "wallet.others.0"},
		},
		{`{wallet {must ` + pay + `}}`, map[string]string{"/wallet": `{"must": {}}`}, `{"wallet":null}`, []string{"wallet.must"}},
		// Interfaces: the tag is the type's name; fields are read by each type's own names.
		{
			`{named2 {id label ... on Box {size} ... on Bag {color}}}`,
			map[string]string{"/labelled": `[{"id": 1, "box-label": "b", "size": 2, "type": "Box"}, {"id": 2, "label": "l", "color": "red", "type": "Bag"}, {"id": 3, "type": "box"}]`},
			`{"named2":[{"id":"1","label":"b","size":2},{"id":"2","label":"l","color":"red"},null]}`,
			[]string{"named2.2"},
		},
		{
			`{named2 {label ... on Bag {color}}}`,
			map[string]string{"/labelled": `[{"id": 2, "label": 5, "type": "Bag"}, {"id": 2, "label": 5, "color": "c", "type": "Bag"}]`},
			`{"named2":[null,{"label":null,"color":"c"}]}`,
			[]string{"named2.0.color", "named2.0.label", "named2.1.label"},
		},
	} {
		s.check(t)
	}
}
