package policy

import "slices"

// index finds the statements of one effect that may apply to an action,
// without looking at the others.
type index struct {
	// any are the statements that may apply to every service: those of
	// Action "*" and those of NotAction.
	any      []int32
	services map[string]*serviceIndex
}

// serviceIndex holds what names one service. Names are in lower case.
type serviceIndex struct {
	exact    map[string][]int32
	patterns []actionPattern
}

type actionPattern struct {
	name      pattern
	statement int32
}

func (ix *index) addAny(n int32) {
	if !slices.Contains(ix.any, n) {
		ix.any = append(ix.any, n)
	}
}

func (ix *index) add(service, name string, n int32) error {
	p, err := compilePattern(name, syntax{wildcards: true})
	if err != nil {
		return err
	}
	if ix.services == nil {
		ix.services = make(map[string]*serviceIndex)
	}
	s := ix.services[service]
	if s == nil {
		s = &serviceIndex{exact: make(map[string][]int32)}
		ix.services[service] = s
	}
	if p.shape != matchText {
		p.fold = true // for the general matcher, which sees the action as it was asked
		s.patterns = append(s.patterns, actionPattern{p, n})
	} else if !slices.Contains(s.exact[name], n) {
		s.exact[name] = append(s.exact[name], n)
	}
	return nil
}

// applies tells whether any statement in ix applies to the request: no,
// unknown or yes.
func (p *Policy) applies(ix *index, ev *evaluation) truth {
	result := no
	for _, n := range ix.any {
		if result = or(result, p.statements[n].applies(ev)); result == yes {
			return yes
		}
	}
	s := ix.services[string(ev.service())]
	if s == nil {
		return result
	}
	for _, n := range s.exact[string(ev.name())] {
		if result = or(result, p.statements[n].applies(ev)); result == yes {
			return yes
		}
	}
	last := int32(-1) // a statement is not evaluated again for its next pattern
	for i := range s.patterns {
		a := &s.patterns[i]
		if a.statement == last || !a.match(ev) {
			continue
		}
		last = a.statement
		if result = or(result, p.statements[last].applies(ev)); result == yes {
			return yes
		}
	}
	return result
}

// match reports whether the name of the request's action matches.
func (a *actionPattern) match(ev *evaluation) bool {
	if a.name.shape == matchHead {
		name, head := ev.name(), a.name.text
		return len(name) >= len(head) && string(name[:len(head)]) == head
	}
	return a.name.match(ev.action[ev.colon+1:], ev) == yes
}

// applies tells whether the statement applies to a request whose action the
// index has found.
func (st *statement) applies(ev *evaluation) truth {
	for i := range st.notActions {
		if st.notActions[i].match(ev.action, ev) == yes {
			return no
		}
	}
	result := no
	for i := range st.resources {
		if result = or(result, st.resources[i].match(ev.resource, &ev.parts, ev.isARN, ev)); result == yes {
			break
		}
	}
	if st.notResource {
		result = not(result)
	}
	for i := range st.conditions {
		if result == no {
			return no
		}
		result = and(result, st.conditions[i].holds(ev))
	}
	return result
}
