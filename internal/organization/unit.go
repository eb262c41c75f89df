package organization

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atrium-iam/atrium/internal/ident"
)

// The limits of the tree, as in AWS.
const (
	// MaxDepth is how many organizational units may lie one in another.
	MaxDepth = 5
	// MaxOrganizationalUnits is how many an organization may have.
	MaxOrganizationalUnits = 2_000
)

// Container is what holds accounts and organizational units: the root or an
// organizational unit. It never moves.
type Container struct {
	OrganizationID string
	// ID has the form r-xxxx for a root, ou-xxxx-yyyyyyyy for a unit.
	ID string
	// ParentID is empty for a root.
	ParentID string
	// Name is unique among the units of one parent.
	Name string
	// Path has the form o-…/r-…/ou-…/.
	Path    string
	Created time.Time
}

// IsRoot reports whether c is a root.
func (c Container) IsRoot() bool { return c.ParentID == "" }

// Depth returns how many organizational units deep c lies: 0 for a root.
func (c Container) Depth() int { return strings.Count(c.Path, "/") - 2 }

// CreateOrganizationalUnit creates a unit under the root or unit parentID.
func CreateOrganizationalUnit(tx Tx, now time.Time, ids ident.Source, o Organization, parentID, name string, tags []Tag) (Container, error) {
	if err := checkUnitName(name); err != nil {
		return Container{}, err
	}
	if err := checkTags(tags); err != nil {
		return Container{}, err
	}
	p, err := parent(tx, o, parentID)
	if err != nil {
		return Container{}, err
	}
	if p.Depth() >= MaxDepth {
		return Container{}, exceeded(reasonDepthLimit, "You cannot add an organizational unit to the specified parent because it would exceed the max depth allowed.")
	}
	n, err := tx.CountOrganizationalUnits(o.ID)
	if err != nil {
		return Container{}, err
	}
	if n >= MaxOrganizationalUnits {
		return Container{}, exceeded(reasonUnitLimit, "You have exceeded the allowed number of organizational units.")
	}
	if err := checkUnitNameFree(tx, o, p.ID, name); err != nil {
		return Container{}, err
	}
	id := ids.OrganizationalUnitID(o.RootID)
	c := Container{OrganizationID: o.ID, ID: id, ParentID: p.ID, Name: name, Path: p.Path + id + "/", Created: now}
	if err := tx.InsertContainer(c); err != nil {
		return Container{}, err
	}
	return c, putTags(tx, o, c.ID, tags)
}

// DescribeOrganizationalUnit returns the unit id of organization o.
func DescribeOrganizationalUnit(tx TreeTx, o Organization, id string) (Container, error) {
	c, found, err := tx.ContainerByID(o.ID, id)
	if err != nil {
		return Container{}, err
	}
	if !found || c.IsRoot() {
		return Container{}, unitNotFound()
	}
	return c, nil
}

// Root returns the root of organization o.
func Root(tx TreeTx, o Organization) (Container, error) {
	return parent(tx, o, o.RootID)
}

// RenameOrganizationalUnit renames the unit id. Its own name is accepted.
func RenameOrganizationalUnit(tx TreeTx, o Organization, id, name string) (Container, error) {
	c, err := DescribeOrganizationalUnit(tx, o, id)
	if err != nil || c.Name == name {
		return c, err
	}
	if err := checkUnitName(name); err != nil {
		return Container{}, err
	}
	if err := checkUnitNameFree(tx, o, c.ParentID, name); err != nil {
		return Container{}, err
	}
	c.Name = name
	return c, tx.RenameOrganizationalUnit(o.ID, id, name)
}

// DeleteOrganizationalUnit deletes the unit id, which must hold neither
// accounts nor units, and its tags.
func DeleteOrganizationalUnit(tx Tx, o Organization, id string) error {
	if _, err := DescribeOrganizationalUnit(tx, o, id); err != nil {
		return err
	}
	units, err := tx.OrganizationalUnits(o.ID, id, "", 1)
	if err != nil {
		return err
	}
	accounts, err := tx.Members(o.ID, id, "", 1)
	if err != nil {
		return err
	}
	if len(units)+len(accounts) > 0 {
		return unitNotEmpty()
	}
	if err := tx.DeleteOrganizationTags(o.ID, id); err != nil {
		return err
	}
	return tx.DeleteOrganizationalUnit(o.ID, id)
}

// ListOrganizationalUnitsForParent returns a page of the units that lie
// directly in parentID and where the next one starts.
func ListOrganizationalUnitsForParent(tx TreeTx, o Organization, parentID, after string, limit int) ([]Container, string, error) {
	if _, err := parent(tx, o, parentID); err != nil {
		return nil, "", err
	}
	items, err := tx.OrganizationalUnits(o.ID, parentID, after, limit+1)
	return page(items, err, limit, func(c Container) string { return c.ID })
}

// ParentOf returns the root or unit that holds childID, an account or unit.
func ParentOf(tx Tx, o Organization, childID string) (Container, error) {
	var parentID string
	if validAccountID(childID) {
		a, found, err := tx.AccountByID(childID)
		if err != nil {
			return Container{}, err
		}
		if found && a.OrganizationID == o.ID {
			parentID = a.ParentID
		}
	} else {
		c, _, err := tx.ContainerByID(o.ID, childID)
		if err != nil {
			return Container{}, err
		}
		parentID = c.ParentID
	}
	if parentID == "" {
		return Container{}, childNotFound()
	}
	return parent(tx, o, parentID)
}

// parent returns the container id, or ParentNotFoundException.
func parent(tx TreeTx, o Organization, id string) (Container, error) {
	c, found, err := tx.ContainerByID(o.ID, id)
	if err == nil && !found {
		err = parentNotFound()
	}
	return c, err
}

func checkUnitName(name string) error {
	if n := utf8.RuneCountInString(name); n < 1 || n > 128 {
		return invalid(reasonInvalidPattern, "The name of an organizational unit has 1 to 128 characters.")
	}
	return nil
}

func checkUnitNameFree(tx TreeTx, o Organization, parentID, name string) error {
	taken, err := tx.OrganizationalUnitNameTaken(o.ID, parentID, name)
	if err == nil && taken {
		return duplicateUnit()
	}
	return err
}
