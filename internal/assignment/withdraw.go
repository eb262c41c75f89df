package assignment

import "github.com/atrium-iam/atrium/internal/instance"

// WithdrawTx is what taking whole ranges of access away needs of a
// transaction.
type WithdrawTx interface {
	ProvisionTx
	// ProvisionsOfInstance returns provisions in no order.
	ProvisionsOfInstance(instanceID string, limit int) ([]Provision, error)
	// DeleteAccountAssignments deletes all of a permission set in an account.
	DeleteAccountAssignments(permissionSetID, accountID string) error
}

// WithdrawAccount takes all access to the account away and deletes its roles,
// as when it leaves the instance's organization.
func WithdrawAccount(tx WithdrawTx, in instance.Instance, accountID string) error {
	return withdraw(tx, func() ([]Provision, error) {
		return tx.ProvisionsOfAccount(in.ID, accountID, "", "", provisionBatch)
	})
}

// Withdraw takes all access away that the instance gives and deletes its roles
// in all accounts.
func Withdraw(tx WithdrawTx, in instance.Instance) error {
	return withdraw(tx, func() ([]Provision, error) {
		return tx.ProvisionsOfInstance(in.ID, provisionBatch)
	})
}

// withdraw deletes what next returns until it returns nothing.
func withdraw(tx WithdrawTx, next func() ([]Provision, error)) error {
	for {
		batch, err := next()
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, p := range batch {
			if err := tx.DeleteAccountAssignments(p.PermissionSetID, p.AccountID); err != nil {
				return err
			}
			if err := remove(tx, p); err != nil {
				return err
			}
		}
	}
}
