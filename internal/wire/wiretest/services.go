package wiretest

import (
	"reflect"

	"github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/awsapi/organizations"
	"github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/awsapi/sso"
	"github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/awsapi/ssooidc"
	"github.com/atrium-iam/atrium/internal/awsapi/sts"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// Service is a generated service.
type Service struct {
	*schema.Service
	// Outputs are the types of the operations' outputs, in their order.
	Outputs []reflect.Type
}

// Services returns the generated services.
func Services() []Service {
	own := Service{settings.Descriptor(), outputs(settings.Bind[int](settings.Unimplemented[int]{}), settings.Descriptor())}
	return append(AWSServices(), own)
}

// AWSServices returns the services that AWS has, and an SDK for.
func AWSServices() []Service {
	return []Service{
		{ssoadmin.Descriptor(), outputs(ssoadmin.Bind[int](ssoadmin.Unimplemented[int]{}), ssoadmin.Descriptor())},
		{identitystore.Descriptor(), outputs(identitystore.Bind[int](identitystore.Unimplemented[int]{}), identitystore.Descriptor())},
		{sso.Descriptor(), outputs(sso.Bind[int](sso.Unimplemented[int]{}), sso.Descriptor())},
		{ssooidc.Descriptor(), outputs(ssooidc.Bind[int](ssooidc.Unimplemented[int]{}), ssooidc.Descriptor())},
		{organizations.Descriptor(), outputs(organizations.Bind[int](organizations.Unimplemented[int]{}), organizations.Descriptor())},
		{sts.Descriptor(), outputs(sts.Bind[int](sts.Unimplemented[int]{}), sts.Descriptor())},
	}
}

// outputs learns the types of outputs from what the operations return.
func outputs(ops []func(int, any) (any, error), s *schema.Service) []reflect.Type {
	types := make([]reflect.Type, len(ops))
	for i, op := range ops {
		out, _ := op(0, s.Operations[i].NewInput())
		types[i] = reflect.TypeOf(out).Elem()
	}
	return types
}
