package gateway

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// TestOutside runs an operation whose transactions run more than once, and
// expects its work to be done once, between two of them.
func TestOutside(t *testing.T) {
	failure := errors.New("the work failed")
	for name, failing := range map[string]error{"done": nil, "failed": failure} {
		t.Run(name, func(t *testing.T) {
			var events []string
			inside := false
			work := func(context.Context) (int, error) {
				if inside {
					t.Error("the work is done inside a transaction")
				}
				events = append(events, "work")
				return 42, failing
			}
			o := new(outside)
			var got int
			err := o.run(t.Context(), func() error {
				inside = true
				defer func() { inside = false }()
				var err error
				for range 2 { // a transaction may run its function again
					events = append(events, "operation")
					got, err = Outside(&Context[struct{}]{outside: o}, work)
				}
				if err != nil {
					return fmt.Errorf("the store wraps: %w", err)
				}
				return nil
			})
			if !errors.Is(err, failing) {
				t.Fatalf("answered %v, want %v", err, failing)
			}
			want := "[operation operation work operation operation]"
			if failing != nil {
				want = "[operation operation work]"
			} else if got != 42 {
				t.Errorf("the operation got %d", got)
			}
			if fmt.Sprint(events) != want {
				t.Errorf("happened %v, want %s", events, want)
			}
		})
	}
}

// TestOutsideOfARefusedOperation expects that nothing is done for a caller who
// is refused before.
func TestOutsideOfARefusedOperation(t *testing.T) {
	refused := errors.New("refused")
	if err := new(outside).run(t.Context(), func() error { return refused }); !errors.Is(err, refused) {
		t.Errorf("answered %v, want %v", err, refused)
	}
}
