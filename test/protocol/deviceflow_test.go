package protocol

import (
	"fmt"
	"testing"
)

// TestDeviceFlowThroughRestarts logs in as the AWS CLI does with a device code,
// for somebody who signs in for the first time. The node is killed and started
// again before every request and every page.
func TestDeviceFlowThroughRestarts(t *testing.T) {
	onBothEngines(t, func(t *testing.T, n *node) {
		sam := n.person("sam.lee")
		c := &cli{n: n}
		n.restart()
		c.registerDevice()
		n.restart()
		var device struct{ DeviceCode, UserCode, VerificationURIComplete string }
		c.decode(n.send("POST", "/device_authorization", "", fmt.Sprintf(`{"clientId": %q, "clientSecret": %q, "startUrl": %q}`,
			c.clientID, c.clientSecret, n.startURL())), &device)
		poll := fmt.Sprintf(`{"grantType": "urn:ietf:params:oauth:grant-type:device_code", "clientId": %q, "clientSecret": %q, "deviceCode": %q}`,
			c.clientID, c.clientSecret, device.DeviceCode)
		for range 2 { // the CLI polls twice at once
			n.restart()
			if a := c.token(poll); a.status != 400 || a.errorType != "AuthorizationPendingException" {
				t.Fatalf("before the approval: %d %s %s", a.status, a.errorType, a.body)
			}
		}
		sam.Pause = n.restart
		headings, err := sam.Approve(t.Context(), device.VerificationURIComplete)
		if err != nil {
			t.Fatalf("%v, after %q", err, headings)
		}
		if last := headings[len(headings)-1]; last != "Request approved" {
			t.Errorf("the person saw %q", headings)
		}
		n.restart()
		c.keep(c.token(poll))
		n.restart()
		c.work(t)
		old := c.refreshed(t)
		n.restart()
		c.keep(c.token(old))
		c.work(t)

		// The link and the code are used up; whoever uses them again ends the login.
		sam.Pause = nil
		if headings, err := sam.Approve(t.Context(), device.VerificationURIComplete); err == nil {
			t.Errorf("the link a second time: %q", headings)
		}
		c.work(t)
		if a := c.token(poll); a.errorType != "InvalidGrantException" {
			t.Errorf("the code a second time: %d %s", a.status, a.errorType)
		}
		n.restart()
		if n.opens(c.access) {
			t.Error("the login goes on after its code came a second time")
		}
	})
}

// TestWhatOneClientHoldsIsOfNoUseToAnother has a second client, of the same
// machine, send what the first was given.
func TestWhatOneClientHoldsIsOfNoUseToAnother(t *testing.T) {
	onBothEngines(t, func(t *testing.T, n *node) {
		sam := n.person("sam.lee")
		own, thief := &cli{n: n}, &cli{n: n}
		own.registerDevice()
		thief.registerDevice()
		var device struct{ DeviceCode, VerificationURIComplete string }
		own.decode(n.send("POST", "/device_authorization", "", fmt.Sprintf(`{"clientId": %q, "clientSecret": %q, "startUrl": %q}`,
			own.clientID, own.clientSecret, n.startURL())), &device)
		if headings, err := sam.Approve(t.Context(), device.VerificationURIComplete); err != nil {
			t.Fatalf("%v, after %q", err, headings)
		}
		redeem := func(c *cli) answer {
			return c.token(fmt.Sprintf(`{"grantType": "urn:ietf:params:oauth:grant-type:device_code", "clientId": %q, "clientSecret": %q, "deviceCode": %q}`,
				c.clientID, c.clientSecret, device.DeviceCode))
		}
		refresh := func(c *cli, token string) answer {
			return c.token(fmt.Sprintf(`{"grantType": "refresh_token", "clientId": %q, "clientSecret": %q, "refreshToken": %q}`, c.clientID, c.clientSecret, token))
		}
		refused := func(name string, a answer, want string) {
			t.Helper()
			if a.errorType != want {
				t.Errorf("%s: %d %s %s, want %s", name, a.status, a.errorType, a.body, want)
			}
		}
		refused("another client's device code", redeem(thief), "InvalidGrantException")
		mixed := &cli{n: n, clientID: own.clientID, clientSecret: thief.clientSecret}
		refused("another client's secret", redeem(mixed), "InvalidClientException")
		own.keep(redeem(own))
		refused("another client's refresh token", refresh(thief, own.refresh), "InvalidGrantException")
		refused("an access token as a refresh token", refresh(own, own.access), "InvalidGrantException")
		refused("a refresh token as an access token", n.send("GET", "/assignment/accounts", own.refresh, ""), "UnauthorizedException")
		refused("a client's secret as an access token", n.send("GET", "/assignment/accounts", own.clientSecret, ""), "UnauthorizedException")
		// None of this has harmed the login.
		own.keep(refresh(own, own.refresh))
		own.work(t)
	})
}
