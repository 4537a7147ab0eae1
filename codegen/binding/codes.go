package binding

// Code identifies a check. A code keeps its meaning for good, since users write it into ignore
// lists, dashboards and searches: the code of a check that is removed is never used again.
type Code string

// The codes are numbered by subject, with room for more: from GH001 the schema itself, GH010
// sources and the places of bindings, GH020 the call, GH040 values, GH050 batches, GH060
// selections, GH070 guards, GH080 names, GH100 requests against the service's document, GH120
// responses against it, GH140 connections, GH150 interfaces and unions, GH160 the errors of a
// service, GH170 entities, GH180 the sizes of lists. Each is explained in checks/CODE.md.
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
