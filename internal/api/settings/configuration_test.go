package settings_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/authsettings"
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/test/node"
)

// stored are the settings that sign-in works by.
func stored(t *testing.T, n *node.Node) (s authsettings.Settings) {
	t.Helper()
	read(t, n, func(tx *store.Tx) (err error) {
		s, err = authsettings.Of(tx, n.Instance.IdentityStoreID)
		return err
	})
	return s
}

// TestConfiguration changes every setting, one kind after the other, and
// expects each where sign-in reads it and in what is read back.
func TestConfiguration(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, arn := n.Administrator(t, node.Management), new(n.Instance.ARN())
		want := stored(t, n)
		for _, tt := range []struct {
			name, configuration string
			in                  wire.SsoConfiguration
			edit                func(*authsettings.Settings)
		}{
			{"mode", "APP_AUTHENTICATION_CONFIGURATION", wire.SsoConfiguration{MfaMode: new("ALWAYS_ON")}, func(s *authsettings.Settings) { s.MfaMode = authsettings.MfaAlwaysOn }},
			{
				"all of authentication", "APP_AUTHENTICATION_CONFIGURATION",
				wire.SsoConfiguration{
					MfaMode: new("DISABLED"), NoMfaSignInBehavior: new("BLOCKED"), NoPasswordSignInBehavior: new("BLOCKED"), AllowedMfaTypes: []string{"WEBAUTHN"},
				},
				func(s *authsettings.Settings) {
					s.MfaMode, s.NoMfa, s.NoPassword = authsettings.MfaDisabled, authsettings.NoMfaBlock, authsettings.NoPasswordBlock
					s.MfaTypes = []authsettings.MfaType{authsettings.Webauthn}
				},
			},
			{
				"session", "SESSION",
				wire.SsoConfiguration{SessionConfiguration: &wire.SessionConfiguration{MaxAuthenticationAge: new("P90D")}},
				func(s *authsettings.Settings) { s.SessionLimit = 129_600 * 60 },
			},
			{
				"device authorization", "DEVICE_AUTHORIZATION",
				wire.SsoConfiguration{DeviceAuthorizationConfiguration: &wire.DeviceAuthorizationConfiguration{
					Mode: new("TYPE_CODE"), AllowedNetworks: []string{"192.0.2.0/24", "2001:db8::/32"},
				}},
				func(s *authsettings.Settings) {
					s.DeviceGrant, s.DeviceNetworks = authsettings.DeviceGrantTyped, []string{"192.0.2.0/24", "2001:db8::/32"}
				},
			},
			{
				"any network again", "DEVICE_AUTHORIZATION",
				wire.SsoConfiguration{DeviceAuthorizationConfiguration: &wire.DeviceAuthorizationConfiguration{AllowedNetworks: []string{}}},
				func(s *authsettings.Settings) { s.DeviceNetworks = []string{} },
			},
			{
				"portal", "PORTAL",
				wire.SsoConfiguration{PortalConfiguration: &wire.PortalConfiguration{Contact: new("The help desk, extension 7")}},
				func(s *authsettings.Settings) { s.Contact = "The help desk, extension 7" },
			},
		} {
			done[nothing](t, n, admin, "UpdateSSOConfiguration", &wire.UpdateSSOConfigurationRequest{InstanceArn: arn, ConfigurationType: &tt.configuration, SsoConfiguration: &tt.in})
			tt.edit(&want)
			want.Version++
			if diff := cmp.Diff(want, stored(t, n)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
		}
		got := done[wire.GetSsoConfigurationResponse](t, n, admin, "GetSsoConfiguration", &wire.GetSsoConfigurationRequest{InstanceArn: arn})
		if diff := cmp.Diff(&wire.SsoConfiguration{
			MfaMode: new("DISABLED"), NoMfaSignInBehavior: new("BLOCKED"), NoPasswordSignInBehavior: new("BLOCKED"), AllowedMfaTypes: []string{"WEBAUTHN"},
			SessionConfiguration:             &wire.SessionConfiguration{MaxAuthenticationAge: new("PT2160H")},
			DeviceAuthorizationConfiguration: &wire.DeviceAuthorizationConfiguration{Mode: new("TYPE_CODE"), AllowedNetworks: []string{}},
			PortalConfiguration:              &wire.PortalConfiguration{Contact: new("The help desk, extension 7")},
		}, got.SsoConfiguration); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	})
}

// TestConfigurationIsRefused asks for what may not be, and expects that nothing
// changes.
func TestConfigurationIsRefused(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, arn := n.Administrator(t, node.Management), new(n.Instance.ARN())
		before := stored(t, n)
		session := func(iso string) wire.SsoConfiguration {
			return wire.SsoConfiguration{SessionConfiguration: &wire.SessionConfiguration{MaxAuthenticationAge: &iso}}
		}
		networks := func(list ...string) wire.SsoConfiguration {
			return wire.SsoConfiguration{DeviceAuthorizationConfiguration: &wire.DeviceAuthorizationConfiguration{AllowedNetworks: list}}
		}
		for name, tt := range map[string]struct {
			configuration string
			in            wire.SsoConfiguration
			words         string
		}{
			"of another type":                       {"SESSION", wire.SsoConfiguration{MfaMode: new("DISABLED")}, "MfaMode belongs to the ConfigurationType APP_AUTHENTICATION_CONFIGURATION"},
			"too short":                             {"SESSION", session("PT14M59S"), "from 15 minutes to 90 days"},
			"too long":                              {"SESSION", session("P90DT1S"), "from 15 minutes to 90 days"},
			"no duration":                           {"SESSION", session("PT"), "ISO 8601"},
			"no network":                            {"DEVICE_AUTHORIZATION", networks("192.0.2.1"), "CIDR"},
			"bits of a host":                        {"DEVICE_AUTHORIZATION", networks("192.0.2.1/24"), "CIDR"},
			"codes by mail for who has no device":   {"APP_AUTHENTICATION_CONFIGURATION", wire.SsoConfiguration{NoMfaSignInBehavior: new("EMAIL_OTP")}, "NoMfaSignInBehavior cannot be EMAIL_OTP: this server sends no e-mail"},
			"codes by mail for who has no password": {"APP_AUTHENTICATION_CONFIGURATION", wire.SsoConfiguration{NoPasswordSignInBehavior: new("EMAIL_OTP")}, "NoPasswordSignInBehavior cannot be EMAIL_OTP: this server sends no e-mail"},
			"more than a line":                      {"PORTAL", wire.SsoConfiguration{PortalConfiguration: &wire.PortalConfiguration{Contact: new("one\ntwo")}}, "one line"},
		} {
			a := call(t, n, admin, "UpdateSSOConfiguration", &wire.UpdateSSOConfigurationRequest{InstanceArn: arn, ConfigurationType: &tt.configuration, SsoConfiguration: &tt.in})
			if a.Status == 200 {
				t.Errorf("%s: taken", name)
				continue
			}
			refused(t, a, "ValidationException", tt.words)
		}
		if diff := cmp.Diff(before, stored(t, n)); diff != "" {
			t.Errorf("changed (-before +after):\n%s", diff)
		}
	})
}

func TestMfaDeviceManagement(t *testing.T) {
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin, arn := n.Administrator(t, node.Management), new(n.Instance.ARN())
		for _, permission := range []string{"READ_ACTIONS", "ALL_ACTIONS"} {
			done[nothing](t, n, admin, "PutMfaDeviceManagementForDirectory", &wire.PutMfaDeviceManagementForDirectoryRequest{InstanceArn: arn, UserPermission: &permission})
			if got := stored(t, n).OwnDevices; got != (permission == "ALL_ACTIONS") {
				t.Errorf("%s: people manage their own: %t", permission, got)
			}
			got := done[wire.GetMfaDeviceManagementForDirectoryResponse](t, n, admin, "GetMfaDeviceManagementForDirectory", &wire.GetMfaDeviceManagementForDirectoryRequest{InstanceArn: arn})
			if *got.UserPermission != permission {
				t.Errorf("read back: %s, want %s", *got.UserPermission, permission)
			}
		}
	})
}
