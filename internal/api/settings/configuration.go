package settings

import (
	"github.com/atrium-iam/atrium/internal/authsettings"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
)

// GetSsoConfiguration returns how people sign in.
func (Service) GetSsoConfiguration(c Context, in *wire.GetSsoConfigurationRequest) (*wire.GetSsoConfigurationResponse, error) {
	s, err := settingsOf(c, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	out := &wire.SsoConfiguration{
		MfaMode: (*string)(&s.MfaMode), NoMfaSignInBehavior: (*string)(&s.NoMfa), NoPasswordSignInBehavior: (*string)(&s.NoPassword),
		SessionConfiguration:             &wire.SessionConfiguration{MaxAuthenticationAge: new(s.ISOSessionDuration())},
		DeviceAuthorizationConfiguration: &wire.DeviceAuthorizationConfiguration{Mode: (*string)(&s.DeviceGrant), AllowedNetworks: s.DeviceNetworks},
		PortalConfiguration:              &wire.PortalConfiguration{Contact: &s.Contact},
	}
	for _, t := range s.MfaTypes {
		out.AllowedMfaTypes = append(out.AllowedMfaTypes, string(t))
	}
	return &wire.GetSsoConfigurationResponse{SsoConfiguration: out}, nil
}

// UpdateSSOConfiguration changes how people sign in: what the configuration
// holds. A member that it does not hold stays as it is.
func (s Service) UpdateSSOConfiguration(c Context, in *wire.UpdateSSOConfigurationRequest) (*wire.UpdateSSOConfigurationResponse, error) {
	edit, err := editOf(*in.ConfigurationType, in.SsoConfiguration)
	if err != nil {
		return nil, err
	}
	for name, behaviour := range map[string]*string{
		"NoMfaSignInBehavior": in.SsoConfiguration.NoMfaSignInBehavior, "NoPasswordSignInBehavior": in.SsoConfiguration.NoPasswordSignInBehavior,
	} {
		if behaviour != nil && *behaviour == wire.NoMfaSignInBehaviorEmailOtp && !s.Mail.Sends() {
			return nil, fault.New(fault.Invalid, "", "%s cannot be EMAIL_OTP: this server sends no e-mail. Its operator has to set smtp.host first.", name)
		}
	}
	return answer(&wire.UpdateSSOConfigurationResponse{}, s.change(c, in.InstanceArn, edit))
}

// editOf returns the change that a configuration asks for. What does not belong
// to its type is a fault.Invalid.
func editOf(configurationType string, in *wire.SsoConfiguration) (func(*authsettings.Settings), error) {
	session := in.SessionConfiguration
	for _, part := range []struct {
		given      bool
		belongs    string
		memberName string
	}{
		{in.MfaMode != nil, wire.ConfigurationTypeAppAuthenticationConfiguration, "MfaMode"},
		{in.NoMfaSignInBehavior != nil, wire.ConfigurationTypeAppAuthenticationConfiguration, "NoMfaSignInBehavior"},
		{in.NoPasswordSignInBehavior != nil, wire.ConfigurationTypeAppAuthenticationConfiguration, "NoPasswordSignInBehavior"},
		{in.AllowedMfaTypes != nil, wire.ConfigurationTypeAppAuthenticationConfiguration, "AllowedMfaTypes"},
		{session != nil, wire.ConfigurationTypeSession, "SessionConfiguration"},
		{in.DeviceAuthorizationConfiguration != nil, wire.ConfigurationTypeDeviceAuthorization, "DeviceAuthorizationConfiguration"},
		{in.PortalConfiguration != nil, wire.ConfigurationTypePortal, "PortalConfiguration"},
	} {
		if part.given && part.belongs != configurationType {
			return nil, fault.New(fault.Invalid, "", "%s belongs to the ConfigurationType %s.", part.memberName, part.belongs)
		}
	}
	if session != nil && session.MaxAuthenticationAge != nil {
		if err := new(authsettings.Settings).SetSessionDuration(*session.MaxAuthenticationAge); err != nil {
			return nil, err
		}
	}
	return func(s *authsettings.Settings) { apply(in, s) }, nil
}

// apply puts into s what a configuration holds.
func apply(in *wire.SsoConfiguration, s *authsettings.Settings) {
	put((*string)(&s.MfaMode), in.MfaMode)
	put((*string)(&s.NoMfa), in.NoMfaSignInBehavior)
	put((*string)(&s.NoPassword), in.NoPasswordSignInBehavior)
	if in.AllowedMfaTypes != nil {
		s.MfaTypes = nil
		for _, t := range in.AllowedMfaTypes {
			s.MfaTypes = append(s.MfaTypes, authsettings.MfaType(t))
		}
	}
	if p := in.SessionConfiguration; p != nil && p.MaxAuthenticationAge != nil {
		_ = s.SetSessionDuration(*p.MaxAuthenticationAge) // editOf has tried it
	}
	if p := in.DeviceAuthorizationConfiguration; p != nil {
		put((*string)(&s.DeviceGrant), p.Mode)
		if p.AllowedNetworks != nil {
			s.DeviceNetworks = p.AllowedNetworks
		}
	}
	if p := in.PortalConfiguration; p != nil {
		put(&s.Contact, p.Contact)
	}
}

// put sets a value, if there is one.
func put(to, value *string) {
	if value != nil {
		*to = *value
	}
}

// GetMfaDeviceManagementForDirectory tells whether people manage their own MFA
// devices.
func (Service) GetMfaDeviceManagementForDirectory(c Context, in *wire.GetMfaDeviceManagementForDirectoryRequest) (*wire.GetMfaDeviceManagementForDirectoryResponse, error) {
	s, err := settingsOf(c, in.InstanceArn)
	permission := wire.UserPermissionReadActions
	if s.OwnDevices {
		permission = wire.UserPermissionAllActions
	}
	return answer(&wire.GetMfaDeviceManagementForDirectoryResponse{UserPermission: &permission}, err)
}

// PutMfaDeviceManagementForDirectory lets people manage their own MFA devices,
// or leaves that to administrators.
func (s Service) PutMfaDeviceManagementForDirectory(c Context, in *wire.PutMfaDeviceManagementForDirectoryRequest) (*wire.PutMfaDeviceManagementForDirectoryResponse, error) {
	own := *in.UserPermission == wire.UserPermissionAllActions
	return answer(&wire.PutMfaDeviceManagementForDirectoryResponse{},
		s.change(c, in.InstanceArn, func(s *authsettings.Settings) { s.OwnDevices = own }))
}

func settingsOf(c Context, instanceARN *string) (authsettings.Settings, error) {
	i, err := instance.ByARN(c.Tx, *instanceARN)
	if err != nil {
		return authsettings.Settings{}, err
	}
	return authsettings.Of(c.Tx, i.IdentityStoreID)
}

// change edits the settings of an instance. They guard everybody's sign-in.
func (s Service) change(c Context, instanceARN *string, edit func(*authsettings.Settings)) error {
	i, err := instance.ByARN(c.Tx, *instanceARN)
	if err != nil {
		return err
	}
	if err := s.proved(c, i); err != nil {
		return err
	}
	return s.guarded(c, i, func() error {
		_, err := authsettings.Change(c.Tx, i.IdentityStoreID, edit)
		return err
	})
}
