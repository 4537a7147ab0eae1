package binding

// Code names a check, whatever its message says. A code keeps its meaning for good: it is
// written into ignore lists, dashboards and searches. One that is no longer needed is
// not given to another check.
type Code string

// The codes are numbered by subject, with room for more: GH001 the schema itself, GH010
// sources and where bindings may stand, GH020 the call, GH040 values, GH050 batches, GH060
// answers, GH070 guards, GH080 names; what a service's document says otherwise: GH100 of
// requests, GH120 of answers; and GH140 connections, GH150 interfaces and unions, GH160 what
// a service's errors mean, GH170 entities, GH180 the sizes of lists.
const (
	InvalidSyntax    Code = "GH001"
	InvalidSchema    Code = "GH002"
	UnknownType      Code = "GH003"
	UndeclaredScalar Code = "GH004"
	UnknownDirective Code = "GH005"
	UnknownArgument  Code = "GH006"
	WrongLiteral     Code = "GH007"
	RepeatedArgument Code = "GH008"
	ForeignDirective Code = "GH009"

	UnknownSource     Code = "GH010"
	RepeatedSource    Code = "GH011"
	UnusedSource      Code = "GH012"
	BoundInterface    Code = "GH015"
	BoundSubscription Code = "GH016"
	BoundTwice        Code = "GH017"
	RepeatedID        Code = "GH018"

	OneVerb             Code = "GH020"
	RelativePath        Code = "GH021"
	HostilePath         Code = "GH022"
	BrokenQuery         Code = "GH023"
	EscapedQuery        Code = "GH024"
	UnknownOperation    Code = "GH025"
	NoDocument          Code = "GH026"
	OperationArgument   Code = "GH027"
	UnsupportedMedia    Code = "GH028"
	AmbiguousName       Code = "GH029"
	InvalidHeaderName   Code = "GH030"
	ReservedHeader      Code = "GH031"
	RepeatedHeader      Code = "GH032"
	InvalidHeaderText   Code = "GH033"
	EncodingWithoutBody Code = "GH034"
	BodyNotAllowed      Code = "GH035"
	BrokenBody          Code = "GH036"
	NestedForm          Code = "GH037"
	UnforwardedHeader   Code = "GH038"
	BrokenCookie        Code = "GH039"

	BrokenTemplate     Code = "GH040"
	UnknownVariable    Code = "GH041"
	UnknownValue       Code = "GH042"
	UnknownParentField Code = "GH043"
	MisplacedVariable  Code = "GH044"
	NullInPath         Code = "GH045"
	ListHasNoPlace     Code = "GH046"
	ObjectHasNoPlace   Code = "GH047"
	NothingToRepeat    Code = "GH048"
	UnusedArgument     Code = "GH049"

	BatchWithoutParents Code = "GH050"
	BatchSize           Code = "GH051"
	UnknownKey          Code = "GH052"
	KeyType             Code = "GH053"
	KeysInPath          Code = "GH054"
	KeysNowhere         Code = "GH055"
	TwoKeys             Code = "GH056"
	KeyListNeedsList    Code = "GH057"
	BatchedListOfLists  Code = "GH058"

	BrokenSelection Code = "GH060"
	AbstractAnswer  Code = "GH061"
	UnknownScalar   Code = "GH062"
	NullPossible    Code = "GH063"
	RootReturned    Code = "GH064"
	UnknownSelected Code = "GH065"
	BadMethod       Code = "GH066"
	WrongConstant   Code = "GH067"
	NotSelected     Code = "GH068"

	MissingGuard Code = "GH070"

	RepeatedWireName Code = "GH080"
	TakenGoName      Code = "GH081"
	UnreachableType  Code = "GH082"

	UnreadableDocument Code = "GH100"
	UnknownCall        Code = "GH101"
	UnknownParameter   Code = "GH102"
	UnknownMember      Code = "GH103"
	ListStyle          Code = "GH104"
	ParameterType      Code = "GH105"
	MissingParameter   Code = "GH106"
	BatchTooLarge      Code = "GH107"
	MissingBody        Code = "GH108"
	UnwantedBody       Code = "GH109"
	BodyMedia          Code = "GH110"
	BodyType           Code = "GH111"
	UnknownInputField  Code = "GH112"
	MissingInputField  Code = "GH113"

	NoAnswer            Code = "GH120"
	UnknownAnswerMember Code = "GH121"
	NullableAnswer      Code = "GH122"
	BatchAnswer         Code = "GH123"
	AnswerType          Code = "GH124"
	UnknownAnswerField  Code = "GH125"

	BrokenConnection Code = "GH140"
	PageParameters   Code = "GH141"
	PagedBatch       Code = "GH142"
	PageSize         Code = "GH143"

	UnknownChoice        Code = "GH150"
	MissingChoice        Code = "GH151"
	UnknownDiscriminator Code = "GH152"
	UnansweredChoice     Code = "GH153"

	BrokenRule Code = "GH160"

	EntityKey   Code = "GH170"
	EntityRoot  Code = "GH171"
	EntityTwice Code = "GH172"
	EntityLacks Code = "GH173"

	NoListSize       Code = "GH180"
	NegativeListSize Code = "GH181"
	NoListToSize     Code = "GH182"
	UnknownSlicing   Code = "GH183"
	SlicingType      Code = "GH184"
	UnknownSized     Code = "GH185"
)

// Check explains a code for who meets it.
type Check struct {
	Code  Code
	Title string // what is wrong, in a few words
	Text  string // what is checked, what would go wrong without it, and what to do, in Markdown
	Wrong string // SDL that has this mistake alone, beside the schema of docs/checks.md
	Right string // the same without it
}

// Checks are all codes in their order. docs/checks.md is made of them, and a test holds
// that each example is what it says.
var Checks = []Check{
	{
		Code:  InvalidSyntax,
		Title: "the text is no GraphQL",
		Text: "The schema cannot be read from here on, so nothing behind this place is checked. The message says what was expected; " +
			"most often a bracket, a colon or a quote is missing a little earlier.",
		Wrong: `
extend type Query {
  latest: [Book!
}`,
		Right: `
extend type Query {
  latest: [Book!]
}`,
	},
	{
		Code:  InvalidSchema,
		Title: "the schema breaks a rule of GraphQL",
		Text: "GraphQL itself has rules for schemas: names are declared once, a type has the fields of its interfaces, a required argument of a " +
			"directive is given. Clients and tools would refuse a graph that breaks them. One such mistake is reported at a time.",
		Wrong: `
extend type Book {
  title: String
}`,
		Right: `
extend type Book {
  subtitle: String
}`,
	},
	{
		Code:  UnknownType,
		Title: "there is no such type",
		Text:  "A type is used that no file under `schema/` declares. Correct the name, or declare the type.",
		Wrong: `
extend type Query {
  latest: Bok
}`,
		Right: `
extend type Query {
  latest: Book
}`,
	},
	{
		Code:  UndeclaredScalar,
		Title: "a known scalar is not declared",
		Text: "The generator reads and writes this scalar, but a schema has to name the scalars that it uses, since clients read it without us. " +
			"Declare it once, in any file.",
		Wrong: `
extend type Book {
  published: Date
}`,
		Right: `
scalar Date

extend type Book {
  published: Date
}`,
	},
	{
		Code:  UnknownDirective,
		Title: "there is no such directive",
		Text:  "A directive that nobody declares does nothing: a guard with a slip in its name would guard nothing. Correct the name.",
		Wrong: `
extend type Book {
  isbn: String @jsn(name: "isbn-13")
}`,
		Right: `
extend type Book {
  isbn: String @json(name: "isbn-13")
}`,
	},
	{
		Code:  UnknownArgument,
		Title: "a directive has no such argument",
		Text: "An argument of a directive, or a member of an object in it, has a name that the directive does not know, so it would say nothing. " +
			"The message has the nearest name, or all there are.",
		Wrong: `
extend type Book {
  isbn: String @json(nam: "isbn-13")
}`,
		Right: `
extend type Book {
  isbn: String @json(name: "isbn-13")
}`,
	},
	{
		Code:  WrongLiteral,
		Title: "a directive's argument has the wrong type",
		Text: "A value in a directive is of another type than the directive declares, is null where a value has to be, or lacks a member. " +
			"The message says what is expected.",
		Wrong: `
extend type Book {
  isbn: String @json(name: 13)
}`,
		Right: `
extend type Book {
  isbn: String @json(name: "isbn-13")
}`,
	},
	{
		Code:  RepeatedArgument,
		Title: "the same argument stands twice",
		Text:  "Of two arguments or members with one name only one could count, and nobody could tell which. Keep one.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", source: "books", http: {GET: "/me"})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"})
}`,
	},
	{
		Code:  ForeignDirective,
		Title: "nothing runs this directive",
		Text: "The schema declares a directive of its own. Nothing in the gateway runs it, but who reads the schema might rely on it. Remove it, or, when " +
			"it is for other tools, name it under `directives` in `gqlgen.yml` with `skip_runtime: true`.",
		Wrong: `
directive @internal on FIELD_DEFINITION

extend type Query {
  latest: Book @internal
}`,
		Right: `
extend type Query {
  latest: Book @requiresScopes(scopes: [["internal"]])
}`,
	},
	{
		Code:  UnknownSource,
		Title: "there is no such source",
		Text:  "A binding names a service that no `@source` declares, so there is nothing to call. Correct the name, or add the `@source`.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "peple", http: {GET: "/me"})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"})
}`,
	},
	{
		Code:  RepeatedSource,
		Title: "a source is declared twice",
		Text:  "Two `@source` have one name, so a binding could mean either. Keep one, or name them apart.",
		Wrong: `
extend schema @source(name: "people", openapi: "accounts.yaml")

extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"})
}`,
		Right: `
extend schema @source(name: "accounts")

extend type Query {
  me: Person @connect(source: "accounts", http: {GET: "/me"})
}`,
	},
	{
		Code:  UnusedSource,
		Title: "no field is bound to a source",
		Text: "The gateway would ask for the service's address at its start and never call it. Bind a field to it, or remove the `@source`. " +
			"This is reported when nothing else is wrong.",
		Wrong: `
extend schema @source(name: "accounts")`,
		Right: `
extend schema @source(name: "accounts")

extend type Query {
  me: Person @connect(source: "accounts", http: {GET: "/me"})
}`,
	},
	{
		Code:  BoundInterface,
		Title: "a field of an interface is bound",
		Text: "A value always has an object type, and that type's field is the one that is asked, so a binding on an interface would never run. " +
			"Bind the field on each type that implements it.",
		Wrong: `
extend type Query {
  film: Film
}
interface Owned {
  id: ID!
  owner: Person @connect(source: "people", http: {GET: "/owners/{$this.id}"})
}
type Film implements Owned {
  id: ID!
  owner: Person
}`,
		Right: `
extend type Query {
  film: Film
}
interface Owned {
  id: ID!
  owner: Person
}
type Film implements Owned {
  id: ID!
  owner: Person @connect(source: "people", http: {GET: "/owners/{$this.id}"})
}`,
	},
	{
		Code:  BoundSubscription,
		Title: "a subscription is bound",
		Text: "A subscription sends many answers and an HTTP call gives one. Leave `@connect` out and resolve the field by hand in `resolvers/`, " +
			"with a method that returns a channel.",
		Wrong: `
type Subscription {
  lent: Book @connect(source: "books", http: {GET: "/books/1"})
}`,
		Right: `
type Subscription {
  lent: Book
}`,
	},
	{
		Code:  BoundTwice,
		Title: "a field is bound and resolved by hand",
		Text:  "`@connect` and `@goField(forceResolver: true)` both say who answers the field. Remove one of them.",
		Wrong: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people/{$this.editorId}"}) @goField(forceResolver: true)
}`,
		Right: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people/{$this.editorId}"})
}`,
	},
	{
		Code:  RepeatedID,
		Title: "two bindings have one name",
		Text: "A binding is called `Type.field`, or what its `id` says, in tests and in plans. Two of one name could not be told apart there. Give one " +
			"another `id`.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", id: "who", http: {GET: "/me"})
  you: Person @connect(source: "people", id: "who", http: {GET: "/you"})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", id: "me", http: {GET: "/me"})
  you: Person @connect(source: "people", id: "you", http: {GET: "/you"})
}`,
	},
	{
		Code:  OneVerb,
		Title: "a call does not have one verb",
		Text:  "A call is exactly one of GET, POST, PUT, PATCH and DELETE with its path. Write one. Where a field needs two calls, resolve it by hand.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", POST: "/me"})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"})
}`,
	},
	{
		Code:  RelativePath,
		Title: "a path does not begin with /",
		Text: "A binding says what is called, not where: the host belongs to `gateway.yaml`, under the source's `urls`, so that one graph runs in every " +
			"environment. Write the path alone.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "https://people.example.com/me"})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"})
}`,
	},
	{
		Code:  HostilePath,
		Title: "a path holds what servers read differently",
		Text: "Proxies and servers disagree about empty, `.` and `..` segments, backslashes, `?` and `#` that belong to the path, white space and control " +
			"characters, lone braces, and escapes such as `%2e` and `%2f`, so that the call could end up elsewhere. Write the path that is meant. The path " +
			"of an operation in a document is held against the same rule.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/people/../me"})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"})
}`,
	},
	{
		Code:  BrokenQuery,
		Title: "a query parameter is not name=value",
		Text: "Each part of a query, between `&` and `&`, is a plain name, `=` and its value. A name that a client could choose would let it set any " +
			"parameter of the service.",
		Wrong: `
extend type Query {
  people(name: String): [Person!] @connect(source: "people", http: {GET: "/people?{$args.name}"})
}`,
		Right: `
extend type Query {
  people(name: String): [Person!] @connect(source: "people", http: {GET: "/people?name={$args.name}"})
}`,
	},
	{
		Code:  EscapedQuery,
		Title: "a query is escaped already",
		Text:  "Text in a query is escaped when it is sent, so an escape would arrive twice escaped. Write plain text.",
		Wrong: `
extend type Query {
  ann: [Person!] @connect(source: "people", http: {GET: "/people?name=Ann%20Lee"})
}`,
		Right: `
extend type Query {
  ann: [Person!] @connect(source: "people", http: {GET: "/people?name=Ann Lee"})
}`,
	},
	{
		Code:  UnknownOperation,
		Title: "the document has no such operation",
		Text: "`operation` names an operation by its `operationId` in the source's document. The message has the nearest one. A call that the document " +
			"does not name is written with `http`.",
		Wrong: `
extend type Query {
  volume(id: ID!): Book @connect(source: "books", operation: "getBok")
}`,
		Right: `
extend type Query {
  volume(id: ID!): Book @connect(source: "books", operation: "getBook")
}`,
	},
	{
		Code:  NoDocument,
		Title: "an operation without a document",
		Text: "Verb, path and parameters of an operation come from the source's OpenAPI document, and this source names none. Name it by `openapi`, or " +
			"write the call with `http`.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", operation: "getMe")
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"})
}`,
	},
	{
		Code:  OperationArgument,
		Title: "an operation's values cannot be read",
		Text: "Behind the operation's name stand values for its parameters: `listBooks(ids: $args.ids, limit: 10)`. A name there is none of the " +
			"operation's parameters, stands twice, or the text breaks off. `body` is the body.",
		Wrong: `
extend type Query {
  latest(max: Int): [Book!] @connect(source: "books", operation: "listBooks(limt: $args.max)", selection: "$.items")
}`,
		Right: `
extend type Query {
  latest(max: Int): [Book!] @connect(source: "books", operation: "listBooks(limit: $args.max)", selection: "$.items")
}`,
	},
	{
		Code:  UnsupportedMedia,
		Title: "an operation that nothing can call",
		Text: "The operation has a verb, a kind of parameter or a media type that calls cannot have: bodies are JSON, forms or plain text. Resolve the " +
			"field by hand in `resolvers/`.",
		Wrong: `
type Mutation {
  export(all: Boolean!): Boolean @connect(source: "books", operation: "startExport(body: $args.all)")
}`,
		Right: `
type Mutation {
  export(all: Boolean!): Boolean @goField(forceResolver: true)
}`,
	},
	{
		Code:  AmbiguousName,
		Title: "a name fits several parameters",
		Text: "An argument fills the parameter of exactly its name, or the only one that is called so in another spelling. Where the path and the query have " +
			"the same name, two spellings of it stand side by side, or a parameter and a member of the body share it, a guess would be a wrong call. Name the " +
			"parameter in the operation's text, with its place where that is needed: `listShelf(path.shelf: $args.from, query.shelf: $args.to)`. " +
			"An operationId that two operations of a document have is refused for the same reason: write verb and path by `http`.",
		Wrong: `
extend type Query {
  shelved(shelf: ID!): [Book!] @connect(source: "books", operation: "listShelf")
}`,
		Right: `
extend type Query {
  shelved(from: ID!, to: ID): [Book!] @connect(source: "books", operation: "listShelf(path.shelf: $args.from, query.shelf: $args.to)")
}`,
	},
	{
		Code:  InvalidHeaderName,
		Title: "a header's name is none",
		Text:  "HTTP allows letters, digits and some signs in the name of a header, no spaces and no colon. Every call would fail.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "X Tenant", value: "north"}]})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "X-Tenant", value: "north"}]})
}`,
	},
	{
		Code:  ReservedHeader,
		Title: "a header belongs to the connection",
		Text: "Headers such as `Host`, `Content-Length` or `Connection` say how a message travels, which the HTTP client decides. Setting them breaks calls, or " +
			"sends them to another host. Remove the header.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "Host", value: "north"}]})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "X-Tenant", value: "north"}]})
}`,
	},
	{
		Code:  RepeatedHeader,
		Title: "a header is set twice",
		Text:  "Headers are compared without regard to case, and services differ in which of two they read. Keep one.",
		Wrong: `
extend type Query {
  me: Person
    @connect(source: "people", http: {GET: "/me", headers: [{name: "X-Tenant", value: "north"}, {name: "x-tenant", value: "south"}]})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "X-Tenant", value: "north"}]})
}`,
	},
	{
		Code:  InvalidHeaderText,
		Title: "a header holds a control character",
		Text:  "A line break in a header would begin a header of its own. Write the text in one line.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "X-Tenant", value: "north\nsouth"}]})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "X-Tenant", value: "north, south"}]})
}`,
	},
	{
		Code:  EncodingWithoutBody,
		Title: "an encoding without a body",
		Text:  "`encoding` says how a body is written, but the call sends none. Add the body, or remove the encoding.",
		Wrong: `
type Mutation {
  invite(input: Invitation!): Person @connect(source: "people", http: {POST: "/people?name={$args.input.name}", encoding: FORM})
}
input Invitation {
  name: String!
}`,
		Right: `
type Mutation {
  invite(input: Invitation!): Person @connect(source: "people", http: {POST: "/people", body: "$args.input", encoding: FORM})
}
input Invitation {
  name: String!
}`,
	},
	{
		Code:  BodyNotAllowed,
		Title: "a GET or DELETE with a body",
		Text:  "Servers and proxies drop or refuse the body of such a call. Send the values in the query, or use POST, PUT or PATCH.",
		Wrong: `
extend type Query {
  people(name: String): [Person!] @connect(source: "people", http: {GET: "/people", body: "$args.name"})
}`,
		Right: `
extend type Query {
  people(name: String): [Person!] @connect(source: "people", http: {GET: "/people?name={$args.name}"})
}`,
	},
	{
		Code:  BrokenBody,
		Title: "a form is not made of fields",
		Text: "A form has names with values, so its body is an input object, or an object that the binding makes: `name: $args.name`. One value, or a list, has no " +
			"names. Give it one, or send JSON.",
		Wrong: `
type Mutation {
  invite(name: String!): Person @connect(source: "people", http: {POST: "/people", body: "$args.name", encoding: FORM})
}`,
		Right: `
type Mutation {
  invite(name: String!): Person @connect(source: "people", http: {POST: "/people", body: "name: $args.name", encoding: FORM})
}`,
	},
	{
		Code:  NestedForm,
		Title: "a form is not flat",
		Text: "A form has names with texts and nothing below them, so there is no one way to write objects in it. Give the input fields of scalars, " +
			"enums or lists of those, or send JSON or `MULTIPART`.",
		Wrong: `
type Mutation {
  invite(input: Invitation!): Person @connect(source: "people", http: {POST: "/people", body: "$args.input", encoding: FORM})
}
input Invitation {
  name: String!
  address: Address
}
input Address {
  city: String
}`,
		Right: `
type Mutation {
  invite(input: Invitation!): Person @connect(source: "people", http: {POST: "/people", body: "$args.input", encoding: FORM})
}
input Invitation {
  name: String!
  city: String
}`,
	},
	{
		Code:  UnforwardedHeader,
		Title: "a client's header that no service gets",
		Text: "Cookies, headers by which services know a user, and those that describe the client's own connection or body are never sent on, whatever a " +
			"binding says: the value would always be null. Send a claim of the token, or have clients send a header of its own.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "X-Session", value: "{$request.headers.cookie}"}]})
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "X-Session", value: "{$request.headers.x-session}"}]})
}`,
	},
	{
		Code:  BrokenCookie,
		Title: "several cookies in one header",
		Text: "A header `Cookie` is one cookie, `name=value`, so that no value can add another one; a `;` in it is refused in every call. Give each cookie " +
			"a header of its own: the call joins them.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me", headers: [{name: "Cookie", value: "theme=dark; user={$claims.sub}"}]})
}`,
		Right: `
extend type Query {
  me: Person
    @connect(
      source: "people"
      http: {GET: "/me", headers: [{name: "Cookie", value: "theme=dark"}, {name: "Cookie", value: "user={$claims.sub}"}]}
    )
}`,
	},
	{
		Code:  BrokenTemplate,
		Title: "a template cannot be read",
		Text: "In paths, queries and headers, `{` and `}` hold one variable, such as `{$args.id}`. A brace lacks its other one, or what stands between " +
			"them is no variable.",
		Wrong: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{args.id}"})
}`,
		Right: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}"})
}`,
	},
	{
		Code:  UnknownVariable,
		Title: "there is no such variable",
		Text:  "The first name behind `$` says where a value comes from, and this one says nothing. The message has the nearest.",
		Wrong: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$arg.id}"})
}`,
		Right: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}"})
}`,
	},
	{
		Code:  UnknownValue,
		Title: "the field has no such argument",
		Text:  "A variable names an argument that the field does not declare, or a member that the argument's type lacks. Correct one of the two.",
		Wrong: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.idd}"})
}`,
		Right: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}"})
}`,
	},
	{
		Code:  UnknownParentField,
		Title: "the parent has no such field",
		Text: "`$this` and `$batch` name one field of the type on which the binding stands, and that field has to come with the object itself: one that is " +
			"bound or resolved by hand has no value yet when the call is made.",
		Wrong: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people/{$this.editor}"})
}`,
		Right: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people/{$this.editorId}"})
}`,
	},
	{
		Code:  MisplacedVariable,
		Title: "a variable has no value here",
		Text: "Fields of Query and Mutation have no parent, so there is neither `$this` nor `$batch`. Below them, `$batch` is for bindings with a batch, and " +
			"`$this` for those without: in a batch, one call answers for many parents.",
		Wrong: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}?as={$this.id}"})
}`,
		Right: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}?as={$claims.sub}"})
}`,
	},
	{
		Code:  NullInPath,
		Title: "a path's value may be null",
		Text: "A query parameter whose value is null is left out, but a path without a segment is another path. Make the argument non-null, with all that it " +
			"lies in.",
		Wrong: `
extend type Query {
  person(id: ID): Person @connect(source: "people", http: {GET: "/people/{$args.id}"})
}`,
		Right: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}"})
}`,
	},
	{
		Code:  ListHasNoPlace,
		Title: "a list stands where one value goes",
		Text: "A path, a header and a parameter with other text around it hold one value. Give a list a query parameter of its own, or, where it belongs " +
			"to the parent, ask for all of its elements by `batch`.",
		Wrong: `
extend type Query {
  people(ids: [ID!]!): [Person!] @connect(source: "people", http: {GET: "/people/{$args.ids}"})
}`,
		Right: `
extend type Query {
  people(ids: [ID!]!): [Person!] @connect(source: "people", http: {GET: "/people?ids={$args.ids}"})
}`,
	},
	{
		Code:  ObjectHasNoPlace,
		Title: "an object stands where text goes",
		Text:  "An object, or any JSON, has no one text that a path, a query or a header could hold. Name one of its fields, or send it as the body.",
		Wrong: `
extend type Query {
  people(filter: Filter): [Person!] @connect(source: "people", http: {GET: "/people?name={$args.filter}"})
}
input Filter {
  name: String
}`,
		Right: `
extend type Query {
  people(filter: Filter): [Person!] @connect(source: "people", http: {GET: "/people?name={$args.filter.name}"})
}
input Filter {
  name: String
}`,
	},
	{
		Code:  NothingToRepeat,
		Title: "a star has nothing to repeat",
		Text:  "`{$args.ids*}` repeats a query parameter for each element of a list. On one value, in a path and in a header there is nothing to repeat.",
		Wrong: `
extend type Query {
  people(name: String): [Person!] @connect(source: "people", http: {GET: "/people?name={$args.name*}"})
}`,
		Right: `
extend type Query {
  people(names: [String!]): [Person!] @connect(source: "people", http: {GET: "/people?name={$args.names*}"})
}`,
	},
	{
		Code:  UnusedArgument,
		Title: "an argument has no effect",
		Text: "Whoever queries would think that the argument does something. Write its value into the call, remove the argument, or answer the field " +
			"by hand.",
		Wrong: `
extend type Query {
  people(name: String, first: Int): [Person!] @connect(source: "people", http: {GET: "/people?name={$args.name}"})
}`,
		Right: `
extend type Query {
  people(name: String, first: Int): [Person!]
    @connect(source: "people", http: {GET: "/people?name={$args.name}&limit={$args.first}"})
}`,
	},
	{
		Code:  BatchWithoutParents,
		Title: "a root field is batched",
		Text:  "A batch is one call for many parents, and fields of Query and Mutation have none. Remove `batch`.",
		Wrong: `
extend type Query {
  people(ids: [ID!]!): [Person!]
    @connect(source: "people", http: {GET: "/people?ids={$args.ids}"}, batch: {key: "id"})
}`,
		Right: `
extend type Query {
  people(ids: [ID!]!): [Person!] @connect(source: "people", http: {GET: "/people?ids={$args.ids}"})
}`,
	},
	{
		Code:  BatchSize,
		Title: "a maxSize that makes no sense",
		Text: "`maxSize` is how many keys one call may carry: 1 or more, and only where the call carries keys at all. An answer that holds every key comes " +
			"with one call.",
		Wrong: `
extend type Book {
  editor: Person
    @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}"}, batch: {key: "id", maxSize: 0})
}`,
		Right: `
extend type Book {
  editor: Person
    @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}"}, batch: {key: "id", maxSize: 100})
}`,
	},
	{
		Code:  UnknownKey,
		Title: "there is no such key",
		Text: "`key` names the field by which an item of the answer is told from the others, or, where one answer holds every key, the parent's field. " +
			"That field has to come with its object.",
		Wrong: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}"}, batch: {key: "personId"})
}`,
		Right: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}"}, batch: {key: "id"})
}`,
	},
	{
		Code:  KeyType,
		Title: "a field cannot be a key",
		Text: "Keys are compared, so they are an ID, a String or an Int. An item's key is non-null besides: an item without one belongs to nobody. " +
			"On the parent's side a list of keys is fine.",
		Wrong: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}"}, batch: {key: "name"})
}`,
		Right: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}"}, batch: {key: "id"})
}`,
	},
	{
		Code:  KeysInPath,
		Title: "the keys of a batch stand in the path",
		Text: "A path holds one key, and one call should carry them all. Write the keys into the query, or leave out `batch` and write `$this`: then there " +
			"is a call for each parent.",
		Wrong: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people/{$batch.editorId}"}, batch: {key: "id"})
}`,
		Right: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}"}, batch: {key: "id"})
}`,
	},
	{
		Code:  KeysNowhere,
		Title: "a batch's call carries no keys",
		Text: "The service could not know what is asked for. Write `{$batch.field}` into the query; or, where one answer holds every key there is, name the " +
			"parent's field as `key`.",
		Wrong: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people"}, batch: {maxSize: 100})
}`,
		Right: `
extend type Book {
  editor: Person
    @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}"}, batch: {key: "id", maxSize: 100})
}`,
	},
	{
		Code:  TwoKeys,
		Title: "a batch has two keys",
		Text:  "Answers are matched by one key. Where a service wants two, ask for each parent by `$this`, or resolve the field by hand.",
		Wrong: `
extend type Book {
  editor: Person
    @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}&of={$batch.id}"}, batch: {key: "id"})
}`,
		Right: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people?ids={$batch.editorId}"}, batch: {key: "id"})
}`,
	},
	{
		Code:  KeyListNeedsList,
		Title: "many keys, but one value",
		Text:  "The parent holds a list of keys, so there is a value for each of them. Make the field a list.",
		Wrong: `
extend type Book {
  reviewers: Person @connect(source: "people", http: {GET: "/people?ids={$batch.reviewerIds}"}, batch: {key: "id"})
}`,
		Right: `
extend type Book {
  reviewers: [Person!] @connect(source: "people", http: {GET: "/people?ids={$batch.reviewerIds}"}, batch: {key: "id"})
}`,
	},
	{
		Code:  BatchedListOfLists,
		Title: "a batch answers a list of lists",
		Text:  "An answer is matched by key, item by item, and for lists in lists there is no telling which item is meant. Resolve the field by hand in `resolvers/`.",
		Wrong: `
extend type Book {
  reviewers: [[Person!]] @connect(source: "people", http: {GET: "/people?ids={$batch.reviewerIds}"}, batch: {key: "id"})
}`,
		Right: `
extend type Book {
  reviewers: [Person!] @connect(source: "people", http: {GET: "/people?ids={$batch.reviewerIds}"}, batch: {key: "id"})
}`,
	},
	{
		Code:  BrokenSelection,
		Title: "an expression cannot be read",
		Text: "A selection, a body or a rule is written in a small language: `$` is the whole value, `$.items` one of its members, `$.items { id name: full_name }` what of " +
			"it is read, `$(12)` a literal, `$.items->first` the first of a list.",
		Wrong: `
extend type Query {
  people: [Person!] @connect(source: "people", http: {GET: "/people"}, selection: "$.items[0]")
}`,
		Right: `
extend type Query {
  people: [Person!] @connect(source: "people", http: {GET: "/people"}, selection: "$.items")
}`,
	},
	{
		Code:  AbstractAnswer,
		Title: "an answer's type is not known",
		Text: "A bound field, or one that comes with its answer, is of an interface or a union, and nothing says which of its types an object of the service " +
			"is. Say it by `@discriminator`, or resolve the field by hand.",
		Wrong: `
extend type Book {
  owner: Owner @connect(source: "people", http: {GET: "/owners/{$this.id}"})
}
union Owner = Person | Library
type Library {
  city: String
}`,
		Right: `
extend type Book {
  owner: Owner @connect(source: "people", http: {GET: "/owners/{$this.id}"})
}
union Owner @discriminator(field: "type") = Person | Library
type Library {
  city: String
}`,
	},
	{
		Code:  UnknownScalar,
		Title: "nothing reads or writes this scalar",
		Text: "A scalar of your own means nothing to the generator, so its values cannot go to a service or come from one. Use one that it knows, such as " +
			"String or JSON, or resolve the field by hand.",
		Wrong: `
scalar Colour

extend type Person {
  favourite: Colour
}`,
		Right: `
extend type Person {
  favourite: String
}`,
	},
	{
		Code:  NullPossible,
		Title: "a non-null field may be null",
		Text: "Where a key is null, or the service leaves a key out, the field is null. With a `!` that would empty the object around it, and all of a list " +
			"for one missing value. Make the field nullable.",
		Wrong: `
extend type Book {
  editor: Person! @connect(source: "people", http: {GET: "/people/{$this.editorId}"})
}`,
		Right: `
extend type Book {
  editor: Person @connect(source: "people", http: {GET: "/people/{$this.editorId}"})
}`,
	},
	{
		Code:  RootReturned,
		Title: "a field returns Query, Mutation or Subscription",
		Text: "These types are where operations begin; no service sends them, and limits and guards count on their fields standing at the top. Return " +
			"the type that is wanted.",
		Wrong: `
type Mutation {
  lend(id: ID!): Query
}`,
		Right: `
type Mutation {
  lend(id: ID!): Book
}`,
	},
	{
		Code:  UnknownSelected,
		Title: "a selection names no field",
		Text: "What stands in `{ }` are fields of the graph, each of which may say behind a colon where its value lies: `name: full_name`. A name alone is " +
			"both. A member of the answer that is no field is entered by a path: `$.items`.",
		Wrong: `
extend type Query {
  people: [Person!] @connect(source: "people", http: {GET: "/people"}, selection: "$.items { id full_name }")
}`,
		Right: `
extend type Query {
  people: [Person!] @connect(source: "people", http: {GET: "/people"}, selection: "$.items { id name: full_name }")
}`,
	},
	{
		Code:  BadMethod,
		Title: "a method cannot stand here",
		Text: "There are `->first`, `->last`, `->map`, `->match`, `->joinNotNull`, `->eq` and `->entries`. One is misspelt, has other arguments than it " +
			"takes, or gives something else than the field is: `->map` a list, `->joinNotNull` a text, `->eq` a Boolean.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"}, selection: "id name: names->map(@.text)")
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"}, selection: "id name: names->map(@.text)->joinNotNull(' ')")
}`,
	},
	{
		Code:  WrongConstant,
		Title: "a value is of another type",
		Text: "A literal, or a value of the request, is not of the type of the field that it becomes, is no value of its enum, or is compared with what it " +
			"never equals.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"}, selection: "id name: $(12)")
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"}, selection: "id name: $('12')")
}`,
	},
	{
		Code:  NotSelected,
		Title: "a selection lacks what is needed",
		Text:  "What `{ }` leaves out is null, so a field with a `!` has to be selected; and so has the key by which the items of a batch are matched.",
		Wrong: `
extend type Query {
  people: [Person!] @connect(source: "people", http: {GET: "/people"}, selection: "$.items { name }")
}`,
		Right: `
extend type Query {
  people: [Person!] @connect(source: "people", http: {GET: "/people"}, selection: "$.items { id name }")
}`,
	},
	{
		Code:  MissingGuard,
		Title: "a type lacks its interface's guard",
		Text: "Guards run on the type that a value has. An interface's guard that the type does not repeat would be open to everybody who asks for the " +
			"type itself. Repeat the guard.",
		Wrong: `
extend type Query {
  film: Film
}
interface Priced {
  price: Int @authenticated
}
type Film implements Priced {
  price: Int
}`,
		Right: `
extend type Query {
  film: Film
}
interface Priced {
  price: Int @authenticated
}
type Film implements Priced {
  price: Int @authenticated
}`,
	},
	{
		Code:  RepeatedWireName,
		Title: "two names are one to the services",
		Text:  "Two fields of a type, or two values of an enum, stand for the same text in the service's JSON, so one could not be told from the other. Give each its own `@json(name:)`.",
		Wrong: `
extend type Person {
  fullName: String @json(name: "name")
}`,
		Right: `
extend type Person {
  fullName: String @json(name: "full_name")
}`,
	},
	{
		Code:  TakenGoName,
		Title: "a Go name is taken",
		Text: "Each type with resolvers becomes a method of `resolvers.Resolver`, which has a field `Services` already, and each field one of its type's, where " +
			"`user_name` and `userName` are both `UserName`: the generated Go would not compile. Name the type otherwise, or give the field `@goField(name:)`.",
		Wrong: `
extend type Query {
  services: Services
}
type Services {
  loans: Int @goField(forceResolver: true)
}`,
		Right: `
extend type Query {
  services: LibraryServices
}
type LibraryServices {
  loans: Int @goField(forceResolver: true)
}`,
	},
	{
		Code:  UnreachableType,
		Title: "nothing leads to a type",
		Text: "No field gives a value of the type and no argument takes one, so nobody can ask for it: a type that was forgotten when its field went, or " +
			"whose field has yet to be written. Scalars may stand unused.",
		Wrong: `
type Shelf {
  room: String
}`,
		Right: `
extend type Book {
  shelf: Shelf @connect(source: "people", http: {GET: "/shelves/{$this.id}"})
}
type Shelf {
  room: String
}`,
	},
	{
		Code:  UnreadableDocument,
		Title: "a document cannot be read",
		Text: "`openapi` names a file, seen from the folder of the schema file that says so. Without it, no binding to the service is checked. The message " +
			"has the cause. A document whose names have line breaks or other control characters is refused as a whole.",
		Wrong: `
extend schema @source(name: "archive", openapi: "book.yaml")

extend type Query {
  old(id: ID!): Book @connect(source: "archive", http: {GET: "/books/{$args.id}"})
}`,
		Right: `
extend schema @source(name: "archive", openapi: "books.yaml")

extend type Query {
  old(id: ID!): Book @connect(source: "archive", http: {GET: "/books/{$args.id}"})
}`,
	},
	{
		Code:  UnknownCall,
		Title: "the service has no such call",
		Text:  "The document has no operation with this verb and path, so the service would answer 404 or 405. The message has the nearest one.",
		Wrong: `
extend type Query {
  volume(id: ID!): Book @connect(source: "books", http: {GET: "/book/{$args.id}"})
}`,
		Right: `
extend type Query {
  volume(id: ID!): Book @connect(source: "books", http: {GET: "/books/{$args.id}"})
}`,
	},
	{
		Code:  UnknownParameter,
		Title: "the call takes no such parameter",
		Text:  "Most services ignore a query parameter that they do not know: a filter with a slip in its name would filter nothing.",
		Wrong: `
extend type Query {
  latest(max: Int): [Book!] @connect(source: "books", http: {GET: "/books?limt={$args.max}"}, selection: "$.items")
}`,
		Right: `
extend type Query {
  latest(max: Int): [Book!] @connect(source: "books", http: {GET: "/books?limit={$args.max}"}, selection: "$.items")
}`,
	},
	{
		Code:  UnknownMember,
		Title: "a parameter has no such member",
		Text:  "A parameter of the style `deepObject` is written `filter[pages]`, with the names of its members. One that it does not have is ignored.",
		Wrong: `
extend type Query {
  long(pages: Int): [Book!] @connect(source: "books", http: {GET: "/books?filter[page]={$args.pages}"}, selection: "$.items")
}`,
		Right: `
extend type Query {
  long(pages: Int): [Book!] @connect(source: "books", http: {GET: "/books?filter[pages]={$args.pages}"}, selection: "$.items")
}`,
	},
	{
		Code:  ListStyle,
		Title: "a list is written another way",
		Text: "`{$args.ids}` writes a list as `1,2` and `{$args.ids*}` repeats the parameter. The document says which of them the service reads (`explode`); the other " +
			"way it would see one odd value, or only one of many.",
		Wrong: `
extend type Query {
  some(ids: [ID!]!): [Book!] @connect(source: "books", http: {GET: "/books?ids={$args.ids*}"}, selection: "$.items")
}`,
		Right: `
extend type Query {
  some(ids: [ID!]!): [Book!] @connect(source: "books", http: {GET: "/books?ids={$args.ids}"}, selection: "$.items")
}`,
	},
	{
		Code:  ParameterType,
		Title: "a value is not what a parameter takes",
		Text: "The value's type does not fit the parameter's: the service would refuse what the graph allows. That goes for null, too, where the parameter " +
			"is required. Give the argument the type that the message names.",
		Wrong: `
extend type Query {
  latest(max: String): [Book!] @connect(source: "books", http: {GET: "/books?limit={$args.max}"}, selection: "$.items")
}`,
		Right: `
extend type Query {
  latest(max: Int): [Book!] @connect(source: "books", http: {GET: "/books?limit={$args.max}"}, selection: "$.items")
}`,
	},
	{
		Code:  MissingParameter,
		Title: "nothing fills a required parameter",
		Text:  "The service refuses calls without it. Add it to the query or the headers, with a value or a text of your choice.",
		Wrong: `
extend type Query {
  search: [Book!] @connect(source: "books", http: {GET: "/search"})
}`,
		Right: `
extend type Query {
  search(text: String!): [Book!] @connect(source: "books", http: {GET: "/search?q={$args.text}"})
}`,
	},
	{
		Code:  BatchTooLarge,
		Title: "a batch is larger than the service takes",
		Text: "The document bounds the list (`maxItems`). A longer list of parents than in any test would fail as a whole. With `batch: {maxSize}` there " +
			"are several calls, side by side.",
		Wrong: `
extend type Book {
  sequel: Book @connect(source: "books", http: {GET: "/books?ids={$batch.sequelId}"}, selection: "$.items", batch: {key: "id"})
}`,
		Right: `
extend type Book {
  sequel: Book
    @connect(source: "books", http: {GET: "/books?ids={$batch.sequelId}"}, selection: "$.items", batch: {key: "id", maxSize: 50})
}`,
	},
	{
		Code:  MissingBody,
		Title: "the call requires a body",
		Text:  "The service refuses the call without one. Give the field an input as argument, and send it with `body`.",
		Wrong: `
type Mutation {
  add: Book @connect(source: "books", http: {POST: "/books"})
}`,
		Right: `
type Mutation {
  add(input: NewBook!): Book @connect(source: "books", http: {POST: "/books", body: "$args.input"})
}
input NewBook {
  title: String!
}`,
	},
	{
		Code:  UnwantedBody,
		Title: "the call takes no body",
		Text:  "The document knows of no body for this call, so what is sent would be ignored or refused. Leave it out.",
		Wrong: `
type Mutation {
  lend(id: ID!, to: ID!): Book @connect(source: "books", http: {POST: "/books/{$args.id}/loans", body: "$args.to"})
}`,
		Right: `
type Mutation {
  lend(id: ID!): Book @connect(source: "books", http: {POST: "/books/{$args.id}/loans"})
}`,
	},
	{
		Code:  BodyMedia,
		Title: "the body is of another media type",
		Text:  "A body is sent as `application/json`, as a form with `encoding: FORM`, or as the `Content-Type` header says. The service takes another one.",
		Wrong: `
type Mutation {
  add(input: NewBook!): Book @connect(source: "books", http: {POST: "/books", body: "$args.input", encoding: FORM})
}
input NewBook {
  title: String!
}`,
		Right: `
type Mutation {
  add(input: NewBook!): Book @connect(source: "books", http: {POST: "/books", body: "$args.input"})
}
input NewBook {
  title: String!
}`,
	},
	{
		Code:  BodyType,
		Title: "the body is not what the service takes",
		Text: "An input's field is of another type than the member that it is sent as, may be null where that is required, or is one that the service " +
			"only sends. It would refuse what the graph allows.",
		Wrong: `
type Mutation {
  add(input: NewBook!): Book @connect(source: "books", http: {POST: "/books", body: "$args.input"})
}
input NewBook {
  title: String!
  pages: String
}`,
		Right: `
type Mutation {
  add(input: NewBook!): Book @connect(source: "books", http: {POST: "/books", body: "$args.input"})
}
input NewBook {
  title: String!
  pages: Int
}`,
	},
	{
		Code:  UnknownInputField,
		Title: "the service takes no such member",
		Text:  "An input's field goes into the body under a name that the service does not know, and would be dropped without a word. Correct it, or say the service's name by `@json(name:)`.",
		Wrong: `
type Mutation {
  add(input: NewBook!): Book @connect(source: "books", http: {POST: "/books", body: "$args.input"})
}
input NewBook {
  title: String!
  length: Int
}`,
		Right: `
type Mutation {
  add(input: NewBook!): Book @connect(source: "books", http: {POST: "/books", body: "$args.input"})
}
input NewBook {
  title: String!
  length: Int @json(name: "pages")
}`,
	},
	{
		Code:  MissingInputField,
		Title: "an input lacks what the service requires",
		Text:  "Every call would be refused. Add a field for the member.",
		Wrong: `
type Mutation {
  add(input: NewBook!): Book @connect(source: "books", http: {POST: "/books", body: "$args.input"})
}
input NewBook {
  pages: Int
}`,
		Right: `
type Mutation {
  add(input: NewBook!): Book @connect(source: "books", http: {POST: "/books", body: "$args.input"})
}
input NewBook {
  title: String!
  pages: Int
}`,
	},
	{
		Code:  NoAnswer,
		Title: "the call answers nothing to read",
		Text:  "The document knows of no JSON in this call's answer. Return a Boolean, which says that the call went well, or call another operation.",
		Wrong: `
type Mutation {
  remove(id: ID!): Book @connect(source: "books", http: {DELETE: "/books/{$args.id}"})
}`,
		Right: `
type Mutation {
  remove(id: ID!): Boolean @connect(source: "books", http: {DELETE: "/books/{$args.id}"})
}`,
	},
	{
		Code:  UnknownAnswerMember,
		Title: "a selection leads nowhere",
		Text:  "The answer has no member of the selection's name, so the field would always be null. The message has the nearest one.",
		Wrong: `
extend type Query {
  latest: [Book!] @connect(source: "books", http: {GET: "/books"}, selection: "$.item")
}`,
		Right: `
extend type Query {
  latest: [Book!] @connect(source: "books", http: {GET: "/books"}, selection: "$.items")
}`,
	},
	{
		Code:  NullableAnswer,
		Title: "a non-null field over what may be null",
		Text: "The document lets the service leave the value out, or send null. Where it does, a `!` empties the object around it, up to the whole answer. " +
			"Write the type without it, or have the service's document promise more.",
		Wrong: `
extend type Book {
  subtitle: String!
}`,
		Right: `
extend type Book {
  subtitle: String
}`,
	},
	{
		Code:  BatchAnswer,
		Title: "a batch's answer has another form",
		Text: "With `key`, a batch reads a list of items; without, an object whose members are the keys. The document says otherwise. Point `selection` at " +
			"the list or the object, add `key` or leave it out.",
		Wrong: `
extend type Book {
  sequel: Book @connect(source: "books", http: {GET: "/books?ids={$batch.sequelId}"}, batch: {key: "id", maxSize: 50})
}`,
		Right: `
extend type Book {
  sequel: Book
    @connect(source: "books", http: {GET: "/books?ids={$batch.sequelId}"}, selection: "$.items", batch: {key: "id", maxSize: 50})
}`,
	},
	{
		Code:  AnswerType,
		Title: "a field cannot hold what the service sends",
		Text: "The type does not fit the document's: a string where the service sends numbers, an `Int` for 64 bits, an enum that lacks a value. Such values are " +
			"errors when they come. Use the type that the message names. An object is no `Boolean`: let `selection` lead to a boolean of it, or `isSuccess` say " +
			"when the call went well.",
		Wrong: `
extend type Book {
  pages: String
}`,
		Right: `
extend type Book {
  pages: Int
}`,
	},
	{
		Code:  UnknownAnswerField,
		Title: "the service sends no such property",
		Text:  "The field would always be null. Correct its name, or say what the service calls it by `@json(name:)`.",
		Wrong: `
extend type Book {
  isbn: String
}`,
		Right: `
extend type Book {
  isbn: String @json(name: "isbn-13")
}`,
	},
	{
		Code:  BrokenConnection,
		Title: "a type is no connection",
		Text: "`pagination` makes what Relay calls a connection: a field with `first: Int` and `after: String`, whose type has `edges` or `nodes`, " +
			"`pageInfo` and perhaps `totalCount`, and nothing else that a service would have to send. `totalCount` needs `total`, and may be null.",
		Wrong: `
extend type Query {
  pages(first: Int, after: String): BookPage
    @connect(source: "books", operation: "pageBooks", pagination: {type: OFFSET, items: "data"})
}
type BookPage {
  books: [Book!]!
  pageInfo: PageInfo!
}
type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}`,
		Right: `
extend type Query {
  pages(first: Int, after: String): BookPage
    @connect(source: "books", operation: "pageBooks", pagination: {type: OFFSET, items: "data"})
}
type BookPage {
  nodes: [Book!]!
  pageInfo: PageInfo!
}
type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}`,
	},
	{
		Code:  PageParameters,
		Title: "the service is not told of a page",
		Text: "The call has to say how large a page is (`$args.first`) and where it begins (`$args.after`), and with `NEXT_CURSOR` the answer has to say " +
			"where the next one does. By operation, parameters with usual names such as `limit` and `offset` are found; name others.",
		Wrong: `
extend type Query {
  pages(first: Int, after: String): BookPage
    @connect(source: "books", http: {GET: "/pages?limit={$args.first}"}, pagination: {type: OFFSET, items: "data"})
}
type BookPage {
  nodes: [Book!]!
  pageInfo: PageInfo!
}
type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}`,
		Right: `
extend type Query {
  pages(first: Int, after: String): BookPage
    @connect(source: "books", http: {GET: "/pages?limit={$args.first}&offset={$args.after}"}, pagination: {type: OFFSET, items: "data"})
}
type BookPage {
  nodes: [Book!]!
  pageInfo: PageInfo!
}
type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}`,
	},
	{
		Code:  PagedBatch,
		Title: "pages of many parents",
		Text:  "One call could not say for each parent where its page begins. Leave out `batch`: then there is a call for each parent.",
		Wrong: `
extend type Person {
  books(first: Int, after: String): BookPage
    @connect(
      source: "people"
      http: {GET: "/books?of={$batch.id}&n={$args.first}&from={$args.after}"}
      batch: {key: "id"}
      pagination: {type: OFFSET}
    )
}
type BookPage {
  nodes: [Book!]!
  pageInfo: PageInfo!
}
type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}`,
		Right: `
extend type Person {
  books(first: Int, after: String): BookPage
    @connect(source: "people", http: {GET: "/books?of={$this.id}&n={$args.first}&from={$args.after}"}, pagination: {type: OFFSET})
}
type BookPage {
  nodes: [Book!]!
  pageInfo: PageInfo!
}
type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}`,
	},
	{
		Code:  PageSize,
		Title: "the size of a page makes no sense",
		Text: "`maxSize` and `defaultSize` are 1 or more, the second no more than the first, and neither more than the document allows (`maximum`). " +
			"`firstPage` is for `PAGE_NUMBER`.",
		Wrong: `
extend type Query {
  pages(first: Int, after: String): BookPage
    @connect(source: "books", operation: "pageBooks", pagination: {type: OFFSET, items: "data", maxSize: 80})
}
type BookPage {
  nodes: [Book!]!
  pageInfo: PageInfo!
}
type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}`,
		Right: `
extend type Query {
  pages(first: Int, after: String): BookPage
    @connect(source: "books", operation: "pageBooks", pagination: {type: OFFSET, items: "data", maxSize: 50})
}
type BookPage {
  nodes: [Book!]!
  pageInfo: PageInfo!
}
type PageInfo {
  hasNextPage: Boolean!
  endCursor: String
}`,
	},
	{
		Code:  UnknownChoice,
		Title: "a mapping cannot be read",
		Text: "The `mapping` of a `@discriminator` gives to each value of the member one of the interface's or union's types. A type is none of them, a " +
			"value stands twice, or a pair is not written `{value: \"tag\", type: \"TypeName\"}`.",
		Wrong: `
extend type Query {
  medium(id: ID!): Medium @connect(source: "books", operation: "getMedium")
}
union Medium @discriminator(field: "kind", mapping: {film: "Flim", disc: "Disc"}) = Film | Disc
type Film {
  minutes: Int
}
type Disc {
  tracks: Int
}`,
		Right: `
extend type Query {
  medium(id: ID!): Medium @connect(source: "books", operation: "getMedium")
}
union Medium @discriminator(field: "kind", mapping: {film: "Film", disc: "Disc"}) = Film | Disc
type Film {
  minutes: Int
}
type Disc {
  tracks: Int
}`,
	},
	{
		Code:  MissingChoice,
		Title: "a type without a value",
		Text:  "With a `mapping`, each type of the interface or union needs a value of its own: objects of one that has none could not be read.",
		Wrong: `
extend type Book {
  owner: Owner @connect(source: "people", http: {GET: "/owners/{$this.id}"})
}
union Owner @discriminator(field: "type", mapping: {person: "Person"}) = Person | Library
type Library {
  city: String
}`,
		Right: `
extend type Book {
  owner: Owner @connect(source: "people", http: {GET: "/owners/{$this.id}"})
}
union Owner @discriminator(field: "type", mapping: {person: "Person", library: "Library"}) = Person | Library
type Library {
  city: String
}`,
	},
	{
		Code:  UnknownDiscriminator,
		Title: "the service sends no such discriminator",
		Text: "The member that tells the types apart is missing from the document's schema, or from one of the branches of its choice, so no object could " +
			"be read.",
		Wrong: `
extend type Query {
  medium(id: ID!): Medium @connect(source: "books", operation: "getMedium")
}
union Medium @discriminator(field: "type", mapping: {film: "Film", disc: "Disc"}) = Film | Disc
type Film {
  minutes: Int
}
type Disc {
  tracks: Int
}`,
		Right: `
extend type Query {
  medium(id: ID!): Medium @connect(source: "books", operation: "getMedium")
}
union Medium @discriminator(field: "kind", mapping: {film: "Film", disc: "Disc"}) = Film | Disc
type Film {
  minutes: Int
}
type Disc {
  tracks: Int
}`,
	},
	{
		Code:  UnansweredChoice,
		Title: "a value without a type",
		Text: "The document gives to the discriminator a value that stands for no type, so that an object with it would be an error when it comes. Name it " +
			"in the `mapping`; without one, values are the names of the types.",
		Wrong: `
extend type Query {
  medium(id: ID!): Medium @connect(source: "books", operation: "getMedium")
}
union Medium @discriminator(field: "kind") = Film | Disc
type Film {
  minutes: Int
}
type Disc {
  tracks: Int
}`,
		Right: `
extend type Query {
  medium(id: ID!): Medium @connect(source: "books", operation: "getMedium")
}
union Medium @discriminator(field: "kind", mapping: {film: "Film", disc: "Disc"}) = Film | Disc
type Film {
  minutes: Int
}
type Disc {
  tracks: Int
}`,
	},
	{
		Code:  BrokenRule,
		Title: "a rule gives something else",
		Text: "`isSuccess` is a Boolean, `errors.message` a text, and `errors.extensions` an object, written `name: value`, without `service` and `http`, " +
			"which the gateway adds itself. Anything else would be ignored.",
		Wrong: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"}, isSuccess: "$status")
}`,
		Right: `
extend type Query {
  me: Person @connect(source: "people", http: {GET: "/me"}, isSuccess: "$status->eq(200)")
}`,
	},
	{
		Code:  EntityKey,
		Title: "a type cannot be asked for by its key",
		Text: "The binding of a type, or a field with `entity: true`, asks for objects by their key: fields that the type's service sends, by the names " +
			"that the call takes. Wherever else the type is read in part, these have to be among what is read.",
		Wrong: `
extend type Query {
  person(number: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.number}"}, entity: true)
}`,
		Right: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}"}, entity: true)
}`,
	},
	{
		Code:  EntityRoot,
		Title: "this cannot complete a type",
		Text: "`entity: true` is for a field of Query that gives one object, or null when there is none; `@connect` on a type is for object types other " +
			"than Query, Mutation and Subscription, and gives one object for each key, not pages.",
		Wrong: `
extend type Query {
  people: [Person!] @connect(source: "people", http: {GET: "/people"}, entity: true)
}`,
		Right: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}"}, entity: true)
}`,
	},
	{
		Code:  EntityTwice,
		Title: "a type is completed twice",
		Text:  "The type has a binding already, or two fields with `entity: true` give it: one of the calls would never be made. Keep one.",
		Wrong: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}"}, entity: true)
}
extend type Person @connect(source: "people", http: {GET: "/people?ids={$batch.id}"}, batch: {maxSize: 100}) {
  email: String
}`,
		Right: `
extend type Query {
  person(id: ID!): Person @connect(source: "people", http: {GET: "/people/{$args.id}"})
}
extend type Person @connect(source: "people", http: {GET: "/people?ids={$batch.id}"}, batch: {maxSize: 100}) {
  email: String
}`,
	},
	{
		Code:  EntityLacks,
		Title: "a type's binding leaves a field out",
		Text: "What other services leave out of a type's objects is asked for by the type's binding. A field that it leaves out too would always be null. " +
			"Select it there, or bind the field.",
		Wrong: `
extend type Person @connect(source: "people", http: {GET: "/people/{$this.id}"}, selection: "id name") {
  email: String
}`,
		Right: `
extend type Person @connect(source: "people", http: {GET: "/people/{$this.id}"}, selection: "id name email") {
  email: String
}`,
	},
	{
		Code:  NoListSize,
		Title: "a @listSize without a size",
		Text: "It says by `assumedSize` how many elements a list has at the worst, or by `slicingArguments` which arguments say it. Without either it says " +
			"nothing.",
		Wrong: `
extend type Query {
  people(first: Int): [Person!] @listSize(requireOneSlicingArgument: false)
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}`,
		Right: `
extend type Query {
  people(first: Int): [Person!] @listSize(assumedSize: 100)
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}`,
	},
	{
		Code:  NegativeListSize,
		Title: "a list of fewer than no elements",
		Text:  "`assumedSize` is a number of elements, 0 or more, which a list seldom exceeds.",
		Wrong: `
extend type Query {
  people(first: Int): [Person!] @listSize(assumedSize: -1)
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}`,
		Right: `
extend type Query {
  people(first: Int): [Person!] @listSize(assumedSize: 100)
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}`,
	},
	{
		Code:  NoListToSize,
		Title: "a @listSize without a list",
		Text: "It stands on a field that is no list, or names one by `sizedFields`. Where the lists lie inside of what the field returns, name them by " +
			"`sizedFields`.",
		Wrong: `
extend type Query {
  people(first: Int): People @listSize(assumedSize: 100)
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}
type People {
  items: [Person!]
}`,
		Right: `
extend type Query {
  people(first: Int): People @listSize(assumedSize: 100, sizedFields: ["items"])
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}
type People {
  items: [Person!]
}`,
	},
	{
		Code:  UnknownSlicing,
		Title: "there is no such slicing argument",
		Text:  "`slicingArguments` names arguments of the field; a dot leads into an input object. Correct the name.",
		Wrong: `
extend type Query {
  people(first: Int): [Person!] @listSize(slicingArguments: ["frist"])
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}`,
		Right: `
extend type Query {
  people(first: Int): [Person!] @listSize(slicingArguments: ["first"])
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}`,
	},
	{
		Code:  SlicingType,
		Title: "a slicing argument says no number",
		Text:  "What says how many elements are asked for is an `Int`, or a list, which asks for as many as it has.",
		Wrong: `
extend type Query {
  people(name: String): [Person!] @listSize(slicingArguments: ["name"])
    @connect(source: "people", http: {GET: "/people?name={$args.name}"})
}`,
		Right: `
extend type Query {
  people(first: Int): [Person!] @listSize(slicingArguments: ["first"])
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}`,
	},
	{
		Code:  UnknownSized,
		Title: "there is no such list",
		Text:  "`sizedFields` names lists among the fields of the type that the field returns. Correct the name.",
		Wrong: `
extend type Query {
  people(first: Int): People @listSize(assumedSize: 100, sizedFields: ["itens"])
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}
type People {
  items: [Person!]
}`,
		Right: `
extend type Query {
  people(first: Int): People @listSize(assumedSize: 100, sizedFields: ["items"])
    @connect(source: "people", http: {GET: "/people?n={$args.first}"})
}
type People {
  items: [Person!]
}`,
	},
}
