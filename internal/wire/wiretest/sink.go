// Package wiretest supports the tests of the codecs and of the validator: a
// small service with every kind of shape, the generated services, random
// values of their shapes, and the client's half of the three protocols.
package wiretest

import (
	"time"

	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// Sink is a structure with a member of every kind.
type Sink struct {
	Text      *string
	Number    *int32
	Big       *int64
	Ratio     *float64
	Flag      *bool
	When      *time.Time
	Data      []byte
	Any       *schema.JSON
	Texts     []string
	Parts     []Part
	Part      *Part
	Choice    *Choice
	Labels    map[string]string
	PartsByID map[string]Part
	Flat      []string
	FlatMap   map[string]string
	Renamed   *string
	Self      *Sink
	Numbers   []int32
}

// Part is a structure.
type Part struct {
	Name *string
	Size *int32
}

// Choice is a union.
type Choice struct {
	Text *string
	Part *Part
}

// Bound is a structure whose members travel in all parts of a message.
type Bound struct {
	ID         *string
	Rest       *string
	Token      *string
	Count      *int32
	Since      *time.Time
	Tags       []string
	ModifiedAt *time.Time
	Words      []string
	Body       *string
	Part       *Part
}

// Refs of the shapes of SinkService.
const (
	RefSink schema.Ref = iota
	RefPart
	RefChoice
	refString
	refInteger
	refLong
	refDouble
	refBoolean
	refTimestamp
	refBlob
	refDocument
	refStrings
	refParts
	refMap
	refPartMap
	refFlatList
	refFlatMap
	RefBound
	refIntegers
	refUnix
)

// SinkService returns the descriptor of a service with two operations: Put
// takes and returns a Sink, Bind takes and returns a Bound.
func SinkService(protocol schema.Protocol) *schema.Service {
	return &schema.Service{
		ID: "sink", Protocol: protocol, APIVersion: "2020-01-01", TargetPrefix: "Sink",
		XMLNamespace: "https://sink.example/doc/2020-01-01/",
		Operations: []schema.Operation{
			{Name: "Put", Method: "POST", Path: "/", Input: RefSink, Output: RefSink, ResultWrapper: "PutResult", NewInput: func() any { return new(Sink) }},
			{Name: "Bind", Method: "POST", Path: "/bind/{ID}/rest/{Rest+}", Input: RefBound, Output: RefBound, NewInput: func() any { return new(Bound) }},
			{Name: "Nothing", Method: "POST", Path: "/nothing", Input: schema.NoShape, Output: schema.NoShape, NewInput: func() any { return new(struct{}) }},
		},
		Errors: []schema.Error{
			{Shape: "NoSuchPartException", Code: "NoSuchPart", Status: 404, Sender: true, Members: []string{"Message", "Reason"}},
		},
		Shapes: sinkShapes(),
	}
}

func sinkShapes() []schema.Shape {
	return []schema.Shape{
		{Name: "Sink", Kind: schema.Structure, Members: sinkMembers()},
		{Name: "Part", Kind: schema.Structure, Members: []schema.Member{member("Name", refString), member("Size", refInteger)}},
		{Name: "Choice", Kind: schema.Union, Members: []schema.Member{member("Text", refString), member("Part", RefPart)}},
		{Name: "String", Kind: schema.String},
		{Name: "Integer", Kind: schema.Integer},
		{Name: "Long", Kind: schema.Long},
		{Name: "Double", Kind: schema.Double},
		{Name: "Boolean", Kind: schema.Boolean},
		{Name: "Timestamp", Kind: schema.Timestamp},
		{Name: "Blob", Kind: schema.Blob},
		{Name: "Document", Kind: schema.Document},
		{Name: "Strings", Kind: schema.List, Element: refString},
		{Name: "Parts", Kind: schema.List, Element: RefPart},
		{Name: "Map", Kind: schema.Map, Key: refString, Value: refString},
		{Name: "PartMap", Kind: schema.Map, Key: refString, Value: RefPart},
		{Name: "FlatList", Kind: schema.List, Element: refString, ElementTag: "Item", Flattened: true},
		{Name: "FlatMap", Kind: schema.Map, Key: refString, Value: refString, Flattened: true},
		{Name: "Bound", Kind: schema.Structure, Members: boundMembers()},
		{Name: "Integers", Kind: schema.List, Element: refInteger},
		{Name: "UnixTime", Kind: schema.Timestamp, TimestampUnix: true},
	}
}

func sinkMembers() []schema.Member {
	return []schema.Member{
		member("Text", refString), member("Number", refInteger), member("Big", refLong),
		member("Ratio", refDouble), member("Flag", refBoolean), member("When", refTimestamp),
		member("Data", refBlob), member("Any", refDocument), member("Texts", refStrings),
		member("Parts", refParts), member("Part", RefPart), member("Choice", RefChoice),
		member("Labels", refMap), member("PartsByID", refPartMap),
		member("Flat", refFlatList), member("FlatMap", refFlatMap),
		{Name: "Renamed", WireName: "other-name", Shape: refString},
		member("Self", RefSink), member("Numbers", refIntegers),
	}
}

func boundMembers() []schema.Member {
	bound := func(name, wire string, ref schema.Ref, at schema.Location) schema.Member {
		return schema.Member{Name: name, WireName: wire, Shape: ref, Location: at}
	}
	return []schema.Member{
		bound("ID", "ID", refString, schema.InURI),
		bound("Rest", "Rest", refString, schema.InURI),
		bound("Token", "x-sink-token", refString, schema.InHeader),
		bound("Count", "count", refInteger, schema.InQuery),
		bound("Since", "since", refTimestamp, schema.InQuery),
		bound("Tags", "tag", refStrings, schema.InQuery),
		bound("ModifiedAt", "x-modified-at", refTimestamp, schema.InHeader),
		bound("Words", "x-words", refStrings, schema.InHeader),
		bound("Body", "body", refString, schema.InBody),
		bound("Part", "part", RefPart, schema.InBody),
	}
}

func member(name string, ref schema.Ref) schema.Member {
	return schema.Member{Name: name, WireName: name, Shape: ref}
}
