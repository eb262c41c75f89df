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
	all   bool // "*": everything, also what is no ARN
	parts [arnParts]pattern
}

// compileARN compiles text. Parts that are missing at its end match anything.
// A variable is replaced in the resource part only, as in AWS; a part before
// it that holds one is never known to match.
func compileARN(text string, variables bool) (arnPattern, error) {
	var p arnPattern
	whole, err := compilePattern(text, syntax{wildcards: true, variables: variables})
	if err != nil {
		return p, err
	}
	if whole.matchesAll() {
		p.all = true
		return p, nil
	}
	rest, more := strings.CutPrefix(text, arnPrefix)
	for i := range p.parts {
		part := "*"
		if more {
			part, rest, more = cutPart(rest, i == arnResource, variables)
		}
		if p.parts[i], err = compilePattern(part, syntax{wildcards: true, variables: variables}); err != nil {
			return p, err
		}
		if i < arnResource {
			p.parts[i].forgetVariables()
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
			t.key, t.hasFallback = Key{}, false
		}
	}
}

// match tells whether the ARN parts (isARN: there is one) matches p.
func (p *arnPattern) match(parts *arn, isARN bool, ev *evaluation) truth {
	if p.all {
		return yes
	}
	if !isARN {
		return no
	}
	result := yes
	for i := range p.parts {
		if result = and(result, p.parts[i].match(parts[i], ev)); result == no {
			return no
		}
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
