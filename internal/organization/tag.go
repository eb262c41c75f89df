package organization

import "strings"

// MaxTags is how many tags an account, root or organizational unit may have.
const MaxTags = 50

// Tag is a label on an account, root or organizational unit. Keys are
// case-sensitive.
type Tag struct{ Key, Value string }

// TagResource adds tags to the account, root or unit resourceID of o, or
// replaces their values.
func TagResource(tx Tx, o Organization, resourceID string, tags []Tag) error {
	if err := checkTags(tags); err != nil {
		return err
	}
	if err := taggable(tx, o, resourceID); err != nil {
		return err
	}
	have, err := tx.OrganizationTags(o.ID, resourceID)
	if err != nil {
		return err
	}
	keys := make(map[string]bool, len(have)+len(tags))
	for _, t := range have {
		keys[t.Key] = true
	}
	for _, t := range tags {
		keys[t.Key] = true
	}
	if len(keys) > MaxTags {
		return tooManyTags()
	}
	return putTags(tx, o, resourceID, tags)
}

// UntagResource removes the tags with the given keys; a key that is not there
// is no error.
func UntagResource(tx Tx, o Organization, resourceID string, keys []string) error {
	for _, key := range keys {
		if err := checkTagKey(key); err != nil {
			return err
		}
	}
	if err := taggable(tx, o, resourceID); err != nil {
		return err
	}
	for _, key := range keys {
		if err := tx.DeleteOrganizationTag(o.ID, resourceID, key); err != nil {
			return err
		}
	}
	return nil
}

// ListTags returns the tags of the account, root or unit resourceID in the
// order of their keys; there are MaxTags at most.
func ListTags(tx Tx, o Organization, resourceID string) ([]Tag, error) {
	if err := taggable(tx, o, resourceID); err != nil {
		return nil, err
	}
	return tx.OrganizationTags(o.ID, resourceID)
}

// taggable answers TargetNotFoundException unless resourceID is an account,
// root or unit of o.
func taggable(tx Tx, o Organization, resourceID string) error {
	var found bool
	var err error
	if validAccountID(resourceID) {
		var a Account
		a, found, err = tx.AccountByID(resourceID)
		found = found && a.OrganizationID == o.ID
	} else {
		_, found, err = tx.ContainerByID(o.ID, resourceID)
	}
	if err == nil && !found {
		err = targetNotFound()
	}
	return err
}

func putTags(tx TagTx, o Organization, resourceID string, tags []Tag) error {
	for _, t := range tags {
		if err := tx.PutOrganizationTag(o.ID, resourceID, t); err != nil {
			return err
		}
	}
	return nil
}

func checkTags(tags []Tag) error {
	if len(tags) > MaxTags {
		return tooManyTags()
	}
	keys := make(map[string]bool, len(tags))
	for _, t := range tags {
		if err := checkTagKey(t.Key); err != nil {
			return err
		}
		if keys[t.Key] {
			return invalid(reasonDuplicateTag, "The tag key "+t.Key+" is specified more than once. Tag keys must be unique.")
		}
		keys[t.Key] = true
	}
	return nil
}

func checkTagKey(key string) error {
	if len(key) >= 4 && strings.EqualFold(key[:4], "aws:") {
		return invalid(reasonSystemTag, "You can't add, edit, or delete system tag keys: the prefix aws: is reserved.")
	}
	return nil
}

func tooManyTags() error {
	return exceeded(reasonTagLimit, "You have exceeded the number of tags allowed on this resource.")
}
