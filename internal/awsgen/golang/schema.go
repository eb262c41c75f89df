package golang

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/atrium-iam/atrium/internal/awsgen/model"
)

// schema emits the descriptor.
func (g *generator) schema(b *bytes.Buffer) error {
	fmt.Fprintf(b, "package %s\n\nimport (\n\t\"time\"\n\n\t\"github.com/atrium-iam/atrium/internal/wire/schema\"\n)\n\n", g.pkg)
	protocol, err := protocolName(g.s.Protocol)
	if err != nil {
		return err
	}
	b.WriteString("// Descriptor returns the service's descriptor. Each call builds a new one.\nfunc Descriptor() *schema.Service {\n\treturn &schema.Service{\n")
	fmt.Fprintf(b, "ID: %q, Protocol: %s, APIVersion: %q, TargetPrefix: %q, SigningName: %q, XMLNamespace: %q,\n",
		g.s.ID, protocol, g.s.APIVersion, g.s.TargetPrefix, g.s.SigningName, g.s.XMLNamespace)
	fmt.Fprintf(b, "ActionPrefix: %q, EventSource: %q, Global: %t, ClockSkew: %d * time.Second,\n",
		g.o.ActionPrefix, g.o.EventSource, g.o.Global, g.o.ClockSkew)
	fmt.Fprintf(b, "Validation: schema.Dialect{Code: %q, Style: %q, Reasons: %t},\n", g.o.Validation.Code, g.o.Validation.Style, g.o.Validation.Reasons)
	b.WriteString("Faults: map[string]string{\n")
	for _, k := range sortedKeys(g.o.Faults) {
		fmt.Fprintf(b, "%q: %q,\n", k, g.o.Faults[k])
	}
	b.WriteString("},\nOperations: operations(), Shapes: shapes(), Errors: errorShapes(),\n}\n}\n\n")
	if err := g.operationTable(b); err != nil {
		return err
	}
	g.errorTable(b)
	return g.shapeTable(b)
}

func protocolName(p string) (string, error) {
	switch p {
	case "json":
		return "schema.AWSJSON11", nil
	case "rest-json":
		return "schema.RESTJSON1", nil
	case "query":
		return "schema.AWSQuery", nil
	case "page-json":
		return "schema.PageJSON", nil
	}
	return "", fmt.Errorf("protocol %q is not served", p)
}

func (g *generator) operationTable(b *bytes.Buffer) error {
	b.WriteString("func operations() []schema.Operation {\n\treturn []schema.Operation{\n")
	for _, name := range g.operations {
		if err := g.operation(b, name); err != nil {
			return fmt.Errorf("operation %s: %w", name, err)
		}
	}
	b.WriteString("}\n}\n\n")
	return nil
}

func (g *generator) operation(b *bytes.Buffer, name string) error {
	op := g.s.Operations[name]
	over := g.overlayOf(name)
	gate, err := gateName(over.Gate, op.Unsigned)
	if err != nil {
		return err
	}
	if over.Stateless && !over.NoPermission {
		return fmt.Errorf("a stateless operation cannot ask for permission")
	}
	path, query, _ := strings.Cut(op.URI, "?")
	readOnly := readOnlyName(name) || op.ReadOnly
	if over.ReadOnly != nil {
		readOnly = *over.ReadOnly
	}
	fmt.Fprintf(b, "{\nName: %q, Input: %s, Output: %s, NewInput: func() any { return new(%s) },\n", name, g.ref(op.Input), g.ref(op.Output), g.inputType(name))
	fmt.Fprintf(b, "Method: %q, Path: %q, Query: %q, ResultWrapper: %q, Unsigned: %t, ReadOnly: %t, Stateless: %t,\n", op.Method, path, query, op.ResultWrapper, op.Unsigned, readOnly, over.Stateless)
	if over.Page {
		b.WriteString("Page: true,\n")
	}
	if over.EventSource != "" {
		fmt.Fprintf(b, "EventSource: %q,\n", over.EventSource)
	}
	if p := op.Paginator; p != nil {
		fmt.Fprintf(b, "Paginated: schema.Paginator{InputToken: %q, OutputToken: %q, LimitKey: %q, ResultKeys: %s},\n", p.InputToken, p.OutputToken, p.LimitKey, stringList(p.ResultKeys))
	}
	listField(b, "Errors", op.Errors)
	fmt.Fprintf(b, "Action: %q, Gate: %s,\n", g.action(name, over, op.Unsigned), gate)
	listField(b, "Resources", over.Resources)
	listField(b, "AuditRequest", over.AuditRequest)
	listField(b, "AuditResponse", over.AuditResponse)
	b.WriteString("},\n")
	return nil
}

// overlayOf is the overlay's word on an operation, completed by its defaults.
func (g *generator) overlayOf(name string) model.OverlayOperation {
	over := g.o.Operations[name]
	if over.Gate == "" {
		over.Gate = g.o.Defaults.Gate
	}
	if over.Resources == nil {
		over.Resources = g.o.Defaults.Resources
	}
	over.Page = over.Page || g.o.Defaults.Page
	return over
}

func (g *generator) action(name string, over model.OverlayOperation, unsigned bool) string {
	switch {
	case over.NoPermission || unsigned:
		return ""
	case over.Action != "":
		return over.Action
	default:
		return g.o.ActionPrefix + ":" + name
	}
}

func gateName(gate string, unsigned bool) (string, error) {
	if unsigned {
		return "schema.GateNone", nil
	}
	names := map[string]string{
		"owner": "schema.GateOwner", "member": "schema.GateMember", "management": "schema.GateManagement",
		"delegated": "schema.GateDelegated", "any": "schema.GateAny", "none": "schema.GateNone",
	}
	name, ok := names[gate]
	if !ok {
		return "", fmt.Errorf("unknown gate %q", gate)
	}
	return name, nil
}

func readOnlyName(name string) bool {
	for _, prefix := range []string{"Describe", "Get", "List", "Is", "Decode"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func (g *generator) errorTable(b *bytes.Buffer) {
	b.WriteString("func errorShapes() []schema.Error {\n\treturn []schema.Error{\n")
	for _, name := range sortedKeys(g.s.Shapes) {
		shape := g.s.Shapes[name]
		if shape.Error == nil {
			continue
		}
		members := make([]string, len(shape.Members))
		for i, m := range shape.Members {
			members[i] = m.Name
		}
		fmt.Fprintf(b, "{Shape: %q, Code: %q, Status: %d, Sender: %t, Members: %s},\n",
			name, shape.Error.Code, shape.Error.Status, shape.Error.Sender, stringList(members))
	}
	b.WriteString("}\n}\n\n")
}

func (g *generator) shapeTable(b *bytes.Buffer) error {
	b.WriteString("func shapes() []schema.Shape {\n\treturn []schema.Shape{\n")
	for i, name := range g.shapes {
		fmt.Fprintf(b, "// %d\n", i)
		if err := g.shape(b, name); err != nil {
			return fmt.Errorf("shape %s: %w", name, err)
		}
	}
	b.WriteString("}\n}\n")
	return nil
}

func (g *generator) shape(b *bytes.Buffer, name string) error {
	s := g.s.Shapes[name]
	kind, err := kindName(s)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "{\nName: %q, Kind: %s,\n", name, kind)
	if s.Min != nil {
		fmt.Fprintf(b, "HasMin: true, Min: %d,\n", *s.Min)
	}
	if s.Max != nil {
		fmt.Fprintf(b, "HasMax: true, Max: %d,\n", *s.Max)
	}
	if s.Pattern != "" {
		re, err := g.pattern(name, s.Pattern)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "Pattern: %q, ModelPattern: %q,\n", re, s.Pattern)
	}
	if len(s.Enum) > 0 {
		fmt.Fprintf(b, "Enum: %s,\n", stringList(s.Enum))
	}
	if s.Sensitive {
		b.WriteString("Sensitive: true,\n")
	}
	if s.Flattened {
		b.WriteString("Flattened: true,\n")
	}
	if s.TimestampFormat == "unixTimestamp" {
		b.WriteString("TimestampUnix: true,\n")
	}
	fmt.Fprintf(b, "Element: %s, Key: %s, Value: %s,\n", g.elementRef(s), g.ref(s.Key), g.ref(s.Value))
	if s.Element != nil {
		fmt.Fprintf(b, "ElementTag: %q,\n", orElse(s.Element.WireName, "member"))
	}
	if len(s.Members) > 0 {
		b.WriteString("Members: []schema.Member{\n")
		for _, m := range s.Members {
			g.member(b, m)
		}
		b.WriteString("},\n")
	}
	b.WriteString("},\n")
	return nil
}

func (g *generator) member(b *bytes.Buffer, m model.Member) {
	locations := map[string]string{"": "schema.InBody", "header": "schema.InHeader", "querystring": "schema.InQuery", "uri": "schema.InURI"}
	fmt.Fprintf(b, "{Name: %q, WireName: %q, Shape: %d", m.Name, orElse(m.WireName, m.Name), g.index[m.Shape])
	if m.Location != "" {
		fmt.Fprintf(b, ", Location: %s", locations[m.Location])
	}
	switch {
	case m.Name == g.o.Bearer:
		b.WriteString(", Bearer: true")
	case m.Required:
		b.WriteString(", Required: true")
	}
	if g.s.Shapes[m.Shape].Sensitive {
		b.WriteString(", Sensitive: true")
	}
	if m.Idempotency {
		b.WriteString(", Idempotency: true")
	}
	b.WriteString("},\n")
}

func kindName(s model.Shape) (string, error) {
	if s.Document {
		return "schema.Document", nil
	}
	if s.Union {
		return "schema.Union", nil
	}
	kinds := map[string]string{
		"structure": "schema.Structure", "list": "schema.List", "map": "schema.Map", "string": "schema.String",
		"integer": "schema.Integer", "long": "schema.Long", "double": "schema.Double", "float": "schema.Double",
		"boolean": "schema.Boolean", "timestamp": "schema.Timestamp", "blob": "schema.Blob",
	}
	kind, ok := kinds[s.Type]
	if !ok {
		return "", fmt.Errorf("type %q is not known", s.Type)
	}
	return kind, nil
}

// pattern rewrites a model pattern (java.util.regex) for RE2, or takes the
// overlay's replacement.
func (g *generator) pattern(shape, p string) (string, error) {
	if replacement, ok := g.o.Patterns[shape]; ok {
		p = replacement
	}
	// \u10000-\u10FFFF is how the models write the supplementary planes.
	p = strings.ReplaceAll(p, `\u10000-\u10FFFF`, `\x{10000}-\x{10FFFF}`)
	p = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`).ReplaceAllString(p, `\x{$1}`)
	if _, err := regexp.Compile("^(?:" + p + ")$"); err != nil {
		return "", fmt.Errorf("%w (give a replacement in the overlay's patterns)", err)
	}
	return p, nil
}

func (g *generator) ref(shape string) string {
	if shape == "" {
		return "schema.NoShape"
	}
	return strconv.Itoa(g.index[shape])
}

func (g *generator) elementRef(s model.Shape) string {
	if s.Element == nil {
		return "schema.NoShape"
	}
	return g.ref(s.Element.Shape)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// listField emits a struct field, or nothing for an empty list.
func listField(b *bytes.Buffer, field string, list []string) {
	if len(list) > 0 {
		fmt.Fprintf(b, "%s: %s,\n", field, stringList(list))
	}
}

func stringList(list []string) string {
	if len(list) == 0 {
		return "nil"
	}
	return fmt.Sprintf("%#v", list)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
