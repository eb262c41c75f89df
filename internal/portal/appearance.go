package portal

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/organization"
)

// Color is a colour that an account has in the portal. The names are those of
// AWS's account colours. They name a place in the theme, which has for each a
// pair of background and text that is easy to read by day and by night.
type Color string

// NoColor is the colour of accounts without one.
const NoColor Color = "none"

// Colors returns the colours that there are.
func Colors() []Color {
	return []Color{NoColor, "pink", "purple", "darkBlue", "lightBlue", "teal", "green", "yellow", "orange", "red"}
}

// MaxLabel is the length of a label, in characters.
const MaxLabel = 32

// Appearance is how an account looks in the portal. A colour never stands
// alone: what it means is said by the label.
type Appearance struct {
	AccountID string
	Label     string // 1 to MaxLabel characters
	Color     Color
	// Version counts the edits, from 1; 0 is of what was never edited.
	Version int64
}

// AppearanceReader reads appearances.
type AppearanceReader interface {
	AccountAppearance(instanceID, accountID string) (Appearance, bool, error)
	// AccountAppearances returns at most limit appearances of accounts whose
	// ids follow after, in the order of the ids.
	AccountAppearances(instanceID, after string, limit int) ([]Appearance, error)
}

// AppearanceTx reads and writes appearances.
type AppearanceTx interface {
	AppearanceReader
	organization.AccountReader
	PutAccountAppearance(instanceID string, a Appearance) error
	// DeleteAccountAppearance reports whether there was one.
	DeleteAccountAppearance(instanceID, accountID string) (bool, error)
}

// PutAppearance gives an account of the instance's organization a label and a
// colour, in the place of those that it had. fault.NotFound, subject
// "account", for any other account; fault.Invalid for a label or a colour that
// there cannot be.
func PutAppearance(tx AppearanceTx, in instance.Instance, a Appearance) (Appearance, error) {
	if err := a.check(); err != nil {
		return Appearance{}, err
	}
	if err := inOrganization(tx, in, a.AccountID); err != nil {
		return Appearance{}, err
	}
	old, _, err := tx.AccountAppearance(in.ID, a.AccountID)
	if err != nil {
		return Appearance{}, err
	}
	a.Version = old.Version + 1
	return a, tx.PutAccountAppearance(in.ID, a)
}

func (a Appearance) check() error {
	if n := utf8.RuneCountInString(a.Label); n == 0 || n > MaxLabel || !utf8.ValidString(a.Label) {
		return fault.New(fault.Invalid, "label", "A label has between 1 and %d characters", MaxLabel)
	}
	if slices.ContainsFunc([]rune(a.Label), func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fault.New(fault.Invalid, "label", "A label consists of characters that can be seen, and spaces")
	}
	if a.Label[0] == ' ' || a.Label[len(a.Label)-1] == ' ' {
		return fault.New(fault.Invalid, "label", "A label neither begins nor ends with a space")
	}
	if !slices.Contains(Colors(), a.Color) {
		return fault.New(fault.Invalid, "color", "There is no such color. Use one of %v", Colors())
	}
	return nil
}

// AppearanceOf returns an account's appearance, one without label and colour
// when no administrator has given another. fault.NotFound, subject "account",
// when the account is not in the instance's organization.
func AppearanceOf(tx AppearanceTx, in instance.Instance, accountID string) (Appearance, error) {
	if err := inOrganization(tx, in, accountID); err != nil {
		return Appearance{}, err
	}
	a, found, err := tx.AccountAppearance(in.ID, accountID)
	if err == nil && !found {
		a = Appearance{AccountID: accountID, Color: NoColor}
	}
	return a, err
}

// DeleteAppearance takes an account's label and colour away. fault.NotFound,
// subject "appearance", when it has none.
func DeleteAppearance(tx AppearanceTx, in instance.Instance, accountID string) error {
	deleted, err := tx.DeleteAccountAppearance(in.ID, accountID)
	if err == nil && !deleted {
		err = fault.New(fault.NotFound, "appearance", "The account %s has no label and no color", accountID).WithResource("ACCOUNT", accountID)
	}
	return err
}

// ListAppearances returns up to limit appearances from after the account after,
// and the account to go on from, "" at the end.
func ListAppearances(tx AppearanceReader, in instance.Instance, after string, limit int) (list []Appearance, next string, err error) {
	list, err = tx.AccountAppearances(in.ID, after, limit+1)
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].AccountID
	}
	return list, next, err
}

// inOrganization holds that an account is one that the instance gives access
// to.
func inOrganization(tx organization.AccountReader, in instance.Instance, accountID string) error {
	org, found, err := tx.OrganizationOfAccount(accountID)
	if err == nil && (!found || !in.IsOrganization() || org.ID != in.OrganizationID) {
		err = fault.New(fault.NotFound, "account", "Could not find the account %s in the organization of this instance", accountID).WithResource("ACCOUNT", accountID)
	}
	return err
}
