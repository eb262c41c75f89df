package violation_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/wire/schema"
	"github.com/atrium-iam/atrium/internal/wire/validate"
	"github.com/atrium-iam/atrium/internal/wire/validate/violation"
	"github.com/atrium-iam/atrium/internal/wire/wiretest"
)

// TestValid holds that the inputs the cases start from are valid.
func TestValid(t *testing.T) {
	for _, s := range wiretest.Services() {
		v, err := validate.New(s.Service)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.Operations {
			op := &s.Operations[i]
			in, err := violation.Valid(s.Service, op)
			if err != nil {
				t.Errorf("%s: %v", s.ID, err)
				continue
			}
			if found := v.Check(op, in); len(found) > 0 {
				t.Errorf("%s %s: %+v", s.ID, op.Name, found)
			}
		}
	}
}

// TestDeriveMissesNothing counts the constraints of every input in the model,
// by a walk of its own, and holds the cases to that number.
func TestDeriveMissesNothing(t *testing.T) {
	total := 0
	for _, s := range wiretest.Services() {
		cases, unbreakable, err := violation.Derive(s.Service)
		if err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		want := 0
		for i := range s.Operations {
			if ref := s.Operations[i].Input; ref != schema.NoShape {
				want += constraints(s.Service, ref, nil)
			}
		}
		if got := len(cases) + len(unbreakable); got != want {
			t.Errorf("%s: %d cases and %d constraints that nothing breaks, but %d constraints", s.ID, len(cases), len(unbreakable), want)
		}
		exact := 0
		for _, c := range cases {
			if c.Exact {
				exact++
			}
		}
		t.Logf("%s: %d cases (%d exact), %d unbreakable", s.ID, len(cases), exact, len(unbreakable))
		total += len(cases)
	}
	t.Logf("%d in all", total)
}

// constraints counts those of ref and of what it holds.
func constraints(s *schema.Service, ref schema.Ref, open []schema.Ref) (n int) {
	shape := s.Shape(ref)
	for _, has := range []bool{
		shape.HasMin && (shape.Min > 0 || shape.Kind == schema.Integer || shape.Kind == schema.Long),
		shape.HasMax, shape.Pattern != "", len(shape.Enum) > 0,
	} {
		if has {
			n++
		}
	}
	for _, r := range open {
		if r == ref {
			return 0
		}
	}
	switch shape.Kind {
	case schema.Structure, schema.Union:
		open = append(open[:len(open):len(open)], ref)
		for _, m := range shape.Members {
			if m.Required {
				n++
			}
			n += constraints(s, m.Shape, open)
		}
	case schema.List:
		n += constraints(s, shape.Element, open)
	case schema.Map:
		n += constraints(s, shape.Key, open) + constraints(s, shape.Value, open)
	}
	return n
}
