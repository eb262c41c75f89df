package oidc_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/authsettings"
	"github.com/atrium-iam/atrium/internal/store"
)

// TestDevicePolicy has clients ask for a code under each setting: the next
// request knows of it.
func TestDevicePolicy(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		c := s.register(t, registerDevice)
		start := body(startDevice, c.id, c.secret, s.in.StartURL())
		for name, tt := range map[string]struct {
			mode     authsettings.DeviceGrant
			networks []string
			refused  bool
		}{
			"allowed":         {authsettings.DeviceGrantAllow, nil, false},
			"typed":           {authsettings.DeviceGrantTyped, nil, false},
			"turned off":      {authsettings.DeviceGrantDisabled, nil, true},
			"another network": {authsettings.DeviceGrantAllow, []string{"192.0.2.0/24"}, true},
			"this network":    {authsettings.DeviceGrantAllow, []string{"192.0.2.0/24", "198.51.100.0/24"}, false},
		} {
			t.Run(name, func(t *testing.T) {
				s.t = t
				err := s.db.Update(t.Context(), func(tx *store.Tx) error {
					_, err := authsettings.Change(tx, s.in.IdentityStoreID, func(a *authsettings.Settings) {
						a.DeviceGrant, a.DeviceNetworks = tt.mode, tt.networks
					})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				if tt.refused {
					s.fails("/device_authorization", start, 400, "UnauthorizedClientException", "unauthorized_client")
					return
				}
				s.post("/device_authorization", start, "deviceCode", "userCode", "verificationUri", "verificationUriComplete", "expiresIn", "interval")
			})
		}
	})
}
