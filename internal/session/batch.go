package session

import (
	"slices"
	"time"
)

// OfUser returns those of the sessions ids that are the person's and have not
// expired, in the order of ids, each once.
func OfUser(tx Reader, now time.Time, storeID, userID string, ids []string) (found []Session, err error) {
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		s, exists, err := tx.PortalSession(id)
		if err != nil {
			return nil, err
		}
		if exists && s.StoreID == storeID && s.UserID == userID && now.Before(s.ExpiresAt) {
			found = append(found, s)
		}
	}
	return found, nil
}
