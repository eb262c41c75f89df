package administrator

import (
	"slices"
	"time"

	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/mail"
)

// Farewell tells by mail that an instance is deleted. It is said before the
// instance's people are gone, in the transaction that deletes them; letters do
// not go with them.
type Farewell struct {
	// Mail takes letters; nil when none are sent.
	Mail     *mail.Outbox
	Policies Policies
}

// FarewellTx is what Say needs of a transaction.
type FarewellTx interface {
	Tx
	mail.Tx
}

// Where is from where something was done.
type Where struct{ Address, Client string }

// maxTold is how many people are told.
const maxTold = 50

// Say writes to the person who deletes the instance, if it is a person, and to
// those who can administer it, as far as they can be written to: at most
// maxTold.
func (f Farewell) Say(tx FarewellTx, now time.Time, in instance.Instance, caller iam.Principal, from Where) error {
	if !f.Mail.Sends() {
		return nil
	}
	var told []string
	if caller.IdentityStoreUserID != "" {
		told = append(told, caller.IdentityStoreUserID)
	}
	err := Guard{f.Policies, f.Mail, now}.people(tx, in, func(id string) bool {
		if !slices.Contains(told, id) {
			told = append(told, id)
		}
		return len(told) < maxTold
	})
	if err != nil {
		return err
	}
	for _, id := range told {
		u, found, err := tx.DirectoryUser(in.IdentityStoreID, id)
		if err != nil {
			return err
		}
		if !found || !mail.Deliverable(u.Email()) {
			continue
		}
		err = f.Mail.Put(tx, now, mail.Letter{
			Kind: mail.Deleted, StoreID: u.StoreID, UserID: u.ID, To: u.Email(),
			Content: mail.Content{Name: u.DisplayName, About: in.ARN(), By: caller.ARN, From: from.Address, Client: from.Client, At: now},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
