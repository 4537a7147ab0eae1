package binding

// Code identifies a check. A code keeps its meaning for good, since users write it into ignore
// lists, dashboards and searches: the code of a check that is removed is never used again.
type Code string

// The codes are numbered by subject, with room for more: from GH001 the schema itself, GH010
// sources and the places of bindings, GH020 the call, GH040 values, GH050 batches, GH060
// selections, GH070 guards, GH080 names, GH090 how calls are made, GH100 requests against the service's document, GH120
// responses against it, GH140 connections, GH150 interfaces and unions, GH160 the errors of a
// service, GH170 entities, GH180 the sizes of lists and costs, GH190 ignored checks, GH210 what a
// field has when its service fails, GH220 rate limits. Each is explained in explanations/CODE.md.
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

	UnknownSource       Code = "GH010"
	RepeatedSource      Code = "GH011"
	UnusedSource        Code = "GH012"
	SourceName          Code = "GH013"
	BoundInterface      Code = "GH015"
	BoundSubscription   Code = "GH016"
	BoundAndHandwritten Code = "GH017"
	RepeatedID          Code = "GH018"
	EmptyArgument       Code = "GH019"

	VerbCount           Code = "GH020"
	RelativePath        Code = "GH021"
	AmbiguousPath       Code = "GH022"
	InvalidQuery        Code = "GH023"
	ControlInQuery      Code = "GH024"
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
	InvalidBody         Code = "GH036"
	NestedForm          Code = "GH037"
	UnforwardedHeader   Code = "GH038"
	InvalidCookie       Code = "GH039"

	InvalidTemplate    Code = "GH040"
	UnknownVariable    Code = "GH041"
	UnknownValue       Code = "GH042"
	UnknownParentField Code = "GH043"
	MisplacedVariable  Code = "GH044"
	NullInPath         Code = "GH045"
	MisplacedList      Code = "GH046"
	MisplacedObject    Code = "GH047"
	NothingToRepeat    Code = "GH048"
	UnusedArgument     Code = "GH049"

	BatchWithoutParents Code = "GH050"
	BatchSize           Code = "GH051"
	UnknownKey          Code = "GH052"
	KeyType             Code = "GH053"
	KeysInPath          Code = "GH054"
	MissingKeys         Code = "GH055"
	SecondKey           Code = "GH056"
	KeyListForOneValue  Code = "GH057"
	BatchedListOfLists  Code = "GH058"

	InvalidExpression    Code = "GH060"
	UndeterminedType     Code = "GH061"
	UnknownScalar        Code = "GH062"
	PossiblyNull         Code = "GH063"
	RootReturned         Code = "GH064"
	UnknownSelectedField Code = "GH065"
	InvalidMethod        Code = "GH066"
	WrongConstant        Code = "GH067"
	NotSelected          Code = "GH068"

	MissingGuard Code = "GH070"
	EmptyScopes  Code = "GH071"

	RepeatedWireName Code = "GH080"
	TakenGoName      Code = "GH081"
	UnreachableType  Code = "GH082"

	InvalidTimeout Code = "GH090"

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

	NoResponse            Code = "GH120"
	UnknownResponseMember Code = "GH121"
	NullableResponse      Code = "GH122"
	BatchResponse         Code = "GH123"
	ResponseType          Code = "GH124"
	UnknownResponseField  Code = "GH125"

	InvalidConnection Code = "GH140"
	PageParameters    Code = "GH141"
	PagedBatch        Code = "GH142"
	PageSize          Code = "GH143"

	InvalidMapping       Code = "GH150"
	UnmappedType         Code = "GH151"
	MissingDiscriminator Code = "GH152"
	UnmappedValue        Code = "GH153"

	InvalidRule   Code = "GH160"
	UselessNullOn Code = "GH161"

	EntityKey        Code = "GH170"
	EntityRoot       Code = "GH171"
	RepeatedEntity   Code = "GH172"
	IncompleteEntity Code = "GH173"

	MissingListSize        Code = "GH180"
	NegativeListSize       Code = "GH181"
	ListSizeWithoutList    Code = "GH182"
	UnknownSlicingArgument Code = "GH183"
	SlicingArgumentType    Code = "GH184"
	UnknownSizedField      Code = "GH185"
	InvalidWeight          Code = "GH186"
	CostOfInterface        Code = "GH187"

	InvalidIgnore Code = "GH190"
	UnusedIgnore  Code = "GH191"

	NullOnErrorNonNull Code = "GH210"
	OnErrorOfMutation  Code = "GH211"
	WrongDefault       Code = "GH212"
	OnErrorArgument    Code = "GH213"
	NothingStale       Code = "GH214"

	InvalidRateLimit    Code = "GH220"
	UnknownRateLimitKey Code = "GH221"
	RepeatedRateLimit   Code = "GH222"
)
