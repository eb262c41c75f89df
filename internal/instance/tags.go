package instance

import (
	"strings"

	"github.com/atrium-iam/atrium/internal/fault"
)

// MaxTags is how many tags a resource of IAM Identity Center may carry (AWS's
// quota).
const MaxTags = 50

// Tag is a label on an instance or a permission set.
type Tag struct{ Key, Value string }

// TagTx is what tagging needs of a transaction. Tags hang on ARNs.
type TagTx interface {
	// ResourceTags returns the tags of the resource, ordered by key, from
	// after the key after.
	ResourceTags(resourceARN, after string, limit int) ([]Tag, error)
	CountResourceTags(resourceARN string) (int, error)
	// PutResourceTag adds the tag or replaces the value of its key.
	PutResourceTag(instanceID, resourceARN string, t Tag) error
	DeleteResourceTag(resourceARN, key string) error
}

// TagResource puts the tags on the resource, which belongs to the instance.
// A key that is there gets the new value. Keys that begin with "aws:" and keys
// given twice are refused with fault.Invalid, more than MaxTags tags in all
// with fault.Quota.
func TagResource(tx TagTx, instanceID, resourceARN string, tags []Tag) error {
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return fault.New(fault.Invalid, "tag", "Tag keys that begin with aws: are reserved for AWS: %s", t.Key)
		}
		if seen[t.Key] {
			return fault.New(fault.Invalid, "tag", "The tag key %s is given more than once", t.Key)
		}
		seen[t.Key] = true
		if err := tx.PutResourceTag(instanceID, resourceARN, t); err != nil {
			return err
		}
	}
	n, err := tx.CountResourceTags(resourceARN)
	if err == nil && n > MaxTags {
		err = fault.New(fault.Quota, "tag", "A resource can have at most %d tags; %s would have %d", MaxTags, resourceARN, n)
	}
	return err
}

// UntagResource takes the tags with the given keys off the resource. A key
// that is not there is no error.
func UntagResource(tx TagTx, resourceARN string, keys []string) error {
	for _, key := range keys {
		if err := tx.DeleteResourceTag(resourceARN, key); err != nil {
			return err
		}
	}
	return nil
}

// ListTags returns up to limit tags of the resource from after the key after,
// and the key to go on from, "" at the end.
func ListTags(tx TagTx, resourceARN, after string, limit int) (tags []Tag, next string, err error) {
	tags, err = tx.ResourceTags(resourceARN, after, limit+1)
	if len(tags) > limit {
		tags = tags[:limit]
		next = tags[limit-1].Key
	}
	return tags, next, err
}
