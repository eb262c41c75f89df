package directory

import (
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
)

// Operation sets one attribute of a user or group, or removes it.
type Operation struct {
	// Path names an attribute: "displayName", "name.familyName", "emails",
	// "aws:identitystore:enterprise.department". Case does not matter. A list
	// is set whole; its elements have no paths of their own.
	Path string
	// Value is the new value: a string, a bool, a map[string]any or a []any
	// of such maps. Nil removes the attribute.
	Value any
}

// apply applies operations to a document in their order. It leaves the
// document half-changed when it fails.
func apply(schema *attribute, document map[string]any, operations []Operation) error {
	for _, op := range operations {
		if err := applyOne(schema, document, op); err != nil {
			return err
		}
	}
	return nil
}

func applyOne(at *attribute, document map[string]any, op Operation) error {
	names := strings.Split(op.Path, ".")
	switch {
	case strings.EqualFold(names[0], "extensions"):
		return unsupported(op.Path) // extensions are addressed by their own names
	case strings.Contains(names[0], ":"):
		names = append([]string{"extensions"}, names...)
	}
	for i, name := range names {
		part, ok := at.part(name)
		if !ok {
			return unsupported(op.Path)
		}
		if i == len(names)-1 {
			return set(document, part, op)
		}
		switch part.kind {
		case kindObject:
		case kindList:
			return invalid("Unsupported update operation on multi-value attribute %s, please provide full replacement of Multi-Value attribute types", part.name)
		default:
			return unsupported(op.Path)
		}
		inner, ok := document[part.name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			document[part.name] = inner
		}
		at, document = part, inner
	}
	return nil
}

func set(document map[string]any, part *attribute, op Operation) error {
	if op.Value == nil {
		delete(document, part.name)
		return nil
	}
	value, err := part.accept(op.Path, op.Value)
	if err != nil {
		return err
	}
	document[part.name] = value
	return nil
}

func unsupported(path string) error {
	return invalid("The attribute %s is not supported.", path)
}

// uniqueValue checks an attribute path and value by which to find something
// and returns the attribute in AWS's spelling and the value's key.
func uniqueValue(path string, value any, unique ...string) (attribute, key string, err error) {
	for _, name := range unique {
		if !strings.EqualFold(name, path) {
			continue
		}
		switch v := value.(type) {
		case string:
			if v != "" {
				return name, Key(v), nil
			}
		case nil:
		default:
			return "", "", invalid("The value of the attribute %s must be a string.", path)
		}
		return "", "", invalid("attribute value cannot be empty or null for attribute path")
	}
	return "", "", invalid("The attribute %s is not a unique attribute", path)
}

// key checks that the filter is on attribute and returns the key of its value.
func (f Filter) key(attribute string) (string, error) {
	if !strings.EqualFold(f.Path, attribute) {
		return "", fault.New(fault.Invalid, "filter", "The attribute %s is not a supported filter. Filter by %s.", f.Path, attribute)
	}
	return Key(f.Value), nil
}

// page cuts items, read with a limit of one more, to a page of limit and
// returns the key to go on after.
func page[T any](items []T, limit int, key func(T) string, err error) ([]T, string, error) {
	if err != nil || len(items) <= limit {
		return items, "", err
	}
	items = items[:limit]
	return items, key(items[limit-1]), nil
}
