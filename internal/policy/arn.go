package policy

import "strings"

// The parts of an ARN, arn:partition:service:region:account:resource. Only the
// resource may hold colons.
const (
	arnPartition = iota
	arnService
	arnRegion
	arnAccount
	arnResource
	arnParts
)

const arnPrefix = "arn:"

// arn is an ARN taken apart.
type arn [arnParts]string

// splitARN takes s apart; ok is false when s is no ARN.
func splitARN(s string) (parts arn, ok bool) {
	rest, ok := strings.CutPrefix(s, arnPrefix)
	for i := 0; ok && i < arnResource; i++ {
		parts[i], rest, ok = strings.Cut(rest, ":")
	}
	parts[arnResource] = rest
	return parts, ok
}

// arnPattern is a compiled ARN with wildcards. Each part is matched by
// itself, so that a wildcard does not reach over a colon, but for those inside
// the resource part.
type arnPattern struct {
	all bool // "*": everything, also what is no ARN
	// head is the beginning that holds nothing special: whole parts, with
	// their colons. Most patterns are all head but for the resource part.
	head string
	// middle are the parts that follow, up to the account.
	middle   []pattern
	resource pattern
}

// compileARN compiles text. Parts that are missing at its end match anything.
// A variable is replaced in the resource part only, as in AWS; a part before
// it that holds one is never known to match.
func compileARN(text string, variables bool) (arnPattern, error) {
	var p arnPattern
	syn := syntax{wildcards: true, variables: variables}
	whole, err := compilePattern(text, syn)
	if err != nil {
		return p, err
	}
	if whole.shape == matchAll {
		p.all = true
		return p, nil
	}
	p.head = arnPrefix
	rest, more := strings.CutPrefix(text, arnPrefix)
	for i := range arnParts {
		part := "*"
		if more {
			part, rest, more = cutPart(rest, i == arnResource, variables)
		}
		compiled, err := compilePattern(part, syn)
		switch {
		case err != nil:
			return p, err
		case i == arnResource:
			p.resource = compiled
		case compiled.shape == matchText && len(p.middle) == 0:
			p.head += compiled.text + ":"
		default:
			compiled.forgetVariables()
			p.middle = append(p.middle, compiled)
		}
	}
	return p, nil
}

// cutPart cuts the next part off rest at a colon outside ${…}; the last part
// is all of rest.
func cutPart(rest string, last, variables bool) (part, after string, more bool) {
	if last {
		return rest, "", false
	}
	inside := false
	for i := 0; i < len(rest); i++ {
		switch {
		case variables && strings.HasPrefix(rest[i:], "${"):
			inside = true
		case rest[i] == '}':
			inside = false
		case rest[i] == ':' && !inside:
			return rest[:i], rest[i+1:], true
		}
	}
	return rest, "", false
}

// forgetVariables makes the variables of p have no value, ever.
func (p *pattern) forgetVariables() {
	for i := range p.tokens {
		if t := &p.tokens[i]; t.kind == variable {
			t.ref = &reference{} // a key that nobody sets
		}
	}
}

// match tells whether the resource s, taken apart in parts (isARN: it is an
// ARN), matches p.
func (p *arnPattern) match(s string, parts *arn, isARN bool, ev *evaluation) truth {
	if p.all {
		return yes
	}
	if !isARN || !strings.HasPrefix(s, p.head) {
		return no
	}
	result := p.resource.match(parts[arnResource], ev)
	first := arnResource - len(p.middle)
	for i := range p.middle {
		if result == no {
			return no
		}
		result = and(result, p.middle[i].match(parts[first+i], ev))
	}
	return result
}

// checkResource tells what is wrong with an element of Resource or
// NotResource, "" when nothing is.
func checkResource(text string) string {
	if text == "*" {
		return ""
	}
	first, rest, ok := strings.Cut(text, ":")
	if !ok || first != "arn" {
		return `Resource ` + text + ` must be in ARN format or "*".`
	}
	partition, rest, ok := strings.Cut(rest, ":")
	if partition != "*" && partition != "aws" && !strings.HasPrefix(partition, "aws-") {
		return `Partition "` + partition + `" is not valid for resource "` + filledARN(partition, rest) + `".`
	}
	service, _, _ := strings.Cut(rest, ":")
	if !ok || service == "" || strings.ContainsAny(service, "*?$") {
		return "Resource vendor must be fully qualified and cannot contain regexes."
	}
	return ""
}

// filledARN returns the ARN of partition and rest, its missing parts as "*".
func filledARN(partition, rest string) string {
	parts := strings.SplitN(rest, ":", 4)
	if rest == "" {
		parts = nil
	}
	for len(parts) < 4 {
		parts = append(parts, "*")
	}
	return arnPrefix + partition + ":" + strings.Join(parts, ":")
}
