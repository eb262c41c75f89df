package settings

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/maillink"
	"github.com/atrium-iam/atrium/internal/mfa"
)

// ListMfaDevicesForUser lists a user's MFA devices, and nothing of what proves
// them. They are few: AWS's quota is eight.
func (Service) ListMfaDevicesForUser(c Context, in *wire.ListMfaDevicesForUserRequest) (*wire.ListMfaDevicesForUserResponse, error) {
	u, err := user(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	devices, err := mfa.List(c.Tx, u.StoreID, u.ID)
	out := &wire.ListMfaDevicesForUserResponse{MfaDevices: make([]wire.MfaDevice, len(devices))}
	for i := range devices {
		d := &devices[i]
		out.MfaDevices[i] = wire.MfaDevice{
			DeviceId: &d.ID, DeviceName: &d.Name, MfaType: (*string)(&d.Type), RegisteredDate: &d.CreatedAt, Suspect: &d.Suspect,
		}
		if !d.LastUsedAt.IsZero() {
			out.MfaDevices[i].LastUsedDate = &d.LastUsedAt
		}
	}
	return answer(out, err)
}

// UpdateMfaDeviceForUser gives a user's MFA device another name, which guards
// nothing.
func (Service) UpdateMfaDeviceForUser(c Context, in *wire.UpdateMfaDeviceForUserRequest) (*wire.UpdateMfaDeviceForUserResponse, error) {
	_, u, err := administered(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	_, err = mfa.Rename(c.Tx, u.StoreID, u.ID, *in.DeviceId, *in.DeviceName)
	return answer(&wire.UpdateMfaDeviceForUserResponse{}, err)
}

// DeleteMfaDeviceForUser takes an MFA device from a user, ends what the user is
// signed in to, and tells the user by mail.
func (s Service) DeleteMfaDeviceForUser(c Context, in *wire.DeleteMfaDeviceForUserRequest) (*wire.DeleteMfaDeviceForUserResponse, error) {
	i, u, err := s.credentials(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	return answer(&wire.DeleteMfaDeviceForUserResponse{}, s.guarded(c, i, func() error {
		d, err := mfa.Reset(c.Tx, u.StoreID, u.ID, *in.DeviceId)
		if err != nil {
			return err
		}
		return s.tell(c, u, maillink.Notice{Kind: mail.FactorRemoved, About: d.Name})
	}))
}

// StartVirtualMfaDeviceRegistration sends a user the link at which the user
// registers an MFA device. As the user does it, nobody else sees its secret.
func (s Service) StartVirtualMfaDeviceRegistration(c Context, in *wire.StartVirtualMfaDeviceRegistrationRequest) (*wire.StartVirtualMfaDeviceRegistrationResponse, error) {
	_, u, err := s.credentials(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	return answer(&wire.StartVirtualMfaDeviceRegistrationResponse{}, maillink.SendEnrollment(c.Tx, c.Request.Time, s.Mail, u))
}

// tell lets a user know what an administrator has changed, if the user can be
// written to.
func (s Service) tell(c Context, u directory.User, n maillink.Notice) error {
	return maillink.Notify(c.Tx, c.Request.Time, s.Mail, u, n)
}
