package policy

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// literalValue is a number, date, boolean, binary or address that was parsed
// from text. It is not valid when the text is none.
type literalValue struct {
	valid  bool
	flag   bool         // Bool, Null
	number number       // Numeric
	date   time.Time    // Date
	binary string       // BinaryEquals: canonical base64
	prefix netip.Prefix // IpAddress
}

// parseLiteral parses text as a value of family f.
func parseLiteral(f family, text string) (v literalValue) {
	switch f {
	case familyNumeric:
		v.number, v.valid = parseNumber(text)
	case familyDate:
		v.date, v.valid = parseDate(text)
	case familyBool, familyNull:
		v.flag = strings.EqualFold(text, "true")
		v.valid = v.flag || strings.EqualFold(text, "false")
	case familyBinary:
		v.binary, v.valid = text, isBase64(text)
	case familyAddress:
		v.prefix, v.valid = parsePrefix(text)
	case familyString, familyARN: // are matched as patterns
	}
	return v
}

// value returns the operand's value, replacing its variables.
func (v *operand) value(f family, ev *evaluation) *literalValue {
	if v.literal != nil {
		return v.literal
	}
	var text strings.Builder
	for i := range v.text.tokens {
		part, ok := v.text.tokens[i].value(ev)
		if !ok {
			return &literalValue{}
		}
		text.WriteString(part)
	}
	parsed := parseLiteral(f, text.String())
	return &parsed
}

// parsed remembers the last value that was parsed of a family: conditions of
// many statements ask about the same keys.
type parsed struct {
	family family
	text   string
	value  literalValue
}

// parse is parseLiteral of a value of the request.
func (ev *evaluation) parse(f family, text string) *literalValue {
	slot := &ev.parsed[f%2] // dates, and addresses, are what is often asked about
	if slot.family != f || slot.text != text {
		*slot = parsed{f, text, parseLiteral(f, text)}
	}
	return &slot.value
}

// matchLiteral tells whether the request's value s stands in the condition's
// relation to any of its values. What cannot be parsed is unknown.
func (c *condition) matchLiteral(s string, ev *evaluation) truth {
	got := ev.parse(c.family, s)
	if !got.valid {
		return unknown
	}
	result := no
	for i := range c.values {
		want := c.values[i].value(c.family, ev)
		if !want.valid {
			result = or(result, unknown)
			continue
		}
		result = or(result, truthOf(c.compare(got, want)))
	}
	return result
}

func (c *condition) compare(got, want *literalValue) bool {
	switch c.family {
	case familyNumeric:
		return c.relation.holds(got.number.compare(want.number))
	case familyDate:
		return c.relation.holds(got.date.Compare(want.date))
	case familyBinary:
		return got.binary == want.binary
	case familyAddress:
		return want.prefix.Bits() <= got.prefix.Bits() && want.prefix.Contains(got.prefix.Addr())
	default:
		return got.flag == want.flag
	}
}

// holds tells whether the result of a comparison, -1, 0 or 1, is what r asks.
func (r relation) holds(compared int) bool {
	switch r {
	case less:
		return compared < 0
	case lessOrEqual:
		return compared <= 0
	case greater:
		return compared > 0
	case greaterOrEqual:
		return compared >= 0
	default:
		return compared == 0
	}
}

// number is an integer, exactly, or else a decimal.
type number struct {
	integer   int64
	isInteger bool
	decimal   float64
}

func parseNumber(text string) (number, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number{integer: n, isInteger: true, decimal: float64(n)}, true
	}
	if text == "" || strings.Trim(text, "+-.0123456789eE") != "" {
		return number{}, false // not NaN, Inf, 0x1p-2 or 1_000
	}
	f, err := strconv.ParseFloat(text, 64)
	return number{decimal: f}, err == nil
}

func (n number) compare(m number) int {
	if n.isInteger && m.isInteger {
		return cmp.Compare(n.integer, m.integer)
	}
	return cmp.Compare(n.decimal, m.decimal)
}

// dateLayouts are the forms of the W3C's profile of ISO 8601.
var dateLayouts = [...]string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02", "2006-01", "2006"}

// parseDate parses an ISO 8601 date or a number of seconds since 1970. Four
// digits are a year.
func parseDate(text string) (time.Time, bool) {
	if len(text) != len("2006") && isDigits(text) {
		seconds, err := strconv.ParseInt(text, 10, 64)
		return time.Unix(seconds, 0), err == nil
	}
	for _, layout := range dateLayouts {
		if len(layout) > len(text)+len("07:00") { // cheaper than the error of a failed parse
			continue
		}
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || '9' < text[i] {
			return false
		}
	}
	return text != ""
}

// parsePrefix parses an address or a range in CIDR form. IPv4 addresses in
// IPv6 clothes count as IPv4.
func parsePrefix(text string) (netip.Prefix, bool) {
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
		}
		return prefix.Masked(), err == nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	addr = addr.Unmap()
	return netip.PrefixFrom(addr, addr.BitLen()), true
}

func isBase64(text string) bool {
	digits := strings.TrimSuffix(strings.TrimSuffix(text, "="), "=")
	for i := 0; i < len(digits); i++ {
		if c := lower(digits[i]); (c < 'a' || 'z' < c) && (c < '0' || '9' < c) && c != '+' && c != '/' {
			return false
		}
	}
	return len(text)%4 == 0
}
