package app

import (
	"github.com/atrium-iam/atrium/internal/administrator"
	"github.com/atrium-iam/atrium/internal/api/accessportal"
	"github.com/atrium-iam/atrium/internal/api/identitystore"
	"github.com/atrium-iam/atrium/internal/api/oidc"
	"github.com/atrium-iam/atrium/internal/api/organizations"
	"github.com/atrium-iam/atrium/internal/api/portal"
	"github.com/atrium-iam/atrium/internal/api/settings"
	"github.com/atrium-iam/atrium/internal/api/ssoadmin"
	"github.com/atrium-iam/atrium/internal/api/sts"
	identitystorewire "github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	organizationswire "github.com/atrium-iam/atrium/internal/awsapi/organizations"
	portalwire "github.com/atrium-iam/atrium/internal/awsapi/portal"
	settingswire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	ssowire "github.com/atrium-iam/atrium/internal/awsapi/sso"
	ssoadminwire "github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	ssooidcwire "github.com/atrium-iam/atrium/internal/awsapi/ssooidc"
	stswire "github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/signin/pages"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/wire/gateway"
)

// services are the AWS services of a node, its settings API and what its access
// portal asks for, each bound to the store through the transaction interface that it asks for.
func (p *Program) services() []gateway.Service {
	s, policies := p.Store, iam.NewCompiler(awsManaged, roleDocuments)
	return []gateway.Service{
		gateway.NewService(identitystorewire.Descriptor(), store.Bind[identitystore.Tx](s),
			identitystorewire.Bind[*gateway.Context[identitystore.Tx]](identitystore.Service{Mail: p.outbox(), StepUp: p.stepUp()})),
		gateway.NewService(organizationswire.Descriptor(), store.Bind[organizations.Tx](s),
			organizationswire.Bind[*gateway.Context[organizations.Tx]](organizations.Service{})),
		gateway.NewService(ssoadminwire.Descriptor(), store.Bind[ssoadmin.Tx](s),
			ssoadminwire.Bind[*gateway.Context[ssoadmin.Tx]](ssoadmin.Service{StepUp: p.stepUp(), Farewell: administrator.Farewell{Mail: p.outbox(), Policies: policies}})),
		gateway.NewService(settingswire.Descriptor(), store.Bind[settings.Tx](s),
			settingswire.Bind[*gateway.Context[settings.Tx]](settings.Service{
				Passwords: p.passwords, URL: p.PeopleURL, Policies: policies, Mail: p.outbox(),
				StepUp: p.stepUp(),
			})),
		gateway.NewService(stswire.Descriptor(), store.Bind[sts.Tx](s),
			stswire.Bind[sts.Context](sts.Service{Sessions: p.sessionKeys()})),
		gateway.NewService(ssowire.Descriptor(), store.Bind[portal.Tx](s),
			ssowire.Bind[portal.Context](portal.Service{Tokens: p.oauthKeys(), Sessions: p.sessionKeys()})),
		gateway.NewService(portalwire.Descriptor(), store.Bind[accessportal.Tx](s),
			portalwire.Bind[accessportal.Context](accessportal.Service{Endpoints: p.endpoints(), Files: p.ClientFiles})),
		gateway.NewService(ssooidcwire.Descriptor(), store.BindSnapshot[oidc.Tx](s),
			ssooidcwire.Bind[*gateway.Context[oidc.Tx]](oidc.Service{Keys: p.oauthKeys(), URL: p.PeopleURL})),
	}
}

// stepUp asks people in roles to prove who they are at the portal.
func (p *Program) stepUp() administrator.StepUp {
	return administrator.StepUp{At: p.PeopleURL.JoinPath(pages.VerifyPath).String()}
}

// roleDocuments is how many documents are kept compiled of those that decide
// whether roles administer Identity Center.
const roleDocuments = 256
