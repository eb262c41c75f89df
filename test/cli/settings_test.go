package cli

import "testing"

// TestAdministratorEndsSessions has a person at work with the AWS CLI while an
// administrator ends it, by one command after the other: the person's next call
// fails, whatever was signed in to, and nothing comes back by itself.
func TestAdministratorEndsSessions(t *testing.T) {
	needAWS(t)
	const whoAmI = "aws sts get-caller-identity --profile Builder-222222222222"
	d := newDesk(t, func(*testing.T) string { return "" })
	d.configure(d.person("sam.lee", samsPassword), "my-sso", "")
	for _, command := range []string{
		"disable-user $user && aws atrium enable-user $user",
		"batch-delete-session $user --session-ids $(aws atrium list-sessions $user --query 'Sessions[0].SessionId' --output text)",
		"batch-delete-session $user --all-sessions",
	} {
		d.run(whoAmI)
		d.run(administering + "aws atrium " + command)
		d.refused(whoAmI, "ExpiredToken")
		d.run("rm -r $HOME/.aws/cli/cache")
		d.refused(whoAmI, "SSO")
		d.login(d.newPerson("sam.lee", samsPassword, ""), "--profile Builder-222222222222")
	}
}

// administering makes a shell the administrator's, and sam.lee the $user.
const administering = `eval "$(atrium env)"
	store=$(aws sso-admin list-instances --query 'Instances[0].IdentityStoreId' --output text)
	user="--identity-store-id $store --user-id $(aws identitystore list-users --identity-store-id $store --query "Users[?UserName=='sam.lee'].UserId" --output text)"
	`
