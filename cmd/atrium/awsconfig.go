package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/awsapi/ssoadmin"
	"github.com/atrium-iam/atrium/internal/clientenv"
)

type awsConfigCommand struct {
	User    string `required:"" placeholder:"NAME" help:"User name of the person."`
	DataDir string `default:".atrium" type:"path" help:"Directory of the node's data."`
}

// Run prints the configuration.
func (a awsConfigCommand) Run(ctx context.Context, s streams) error {
	n, err := findNode(ctx, a.DataDir)
	if err != nil {
		return err
	}
	p, err := n.portal(ctx, a.User, clientenv.Files{DataPath: ruleSetDir(a.DataDir), CABundle: n.CABundle})
	if err != nil {
		return err
	}
	text, err := p.Config()
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(s.out, text)
	return err
}

// portal asks the node what a person may use.
func (n node) portal(ctx context.Context, userName string, files clientenv.Files) (p clientenv.Portal, err error) {
	var instances struct {
		Instances []instanceIDs
	}
	if err := n.call(ctx, ssoadmin.Descriptor(), "ListInstances", struct{}{}, &instances); err != nil {
		return p, err
	}
	if len(instances.Instances) == 0 {
		return p, errors.New("IAM Identity Center is not enabled on this node")
	}
	in := instances.Instances[0]
	p = clientenv.ForPerson(userName, "https://"+in.IdentityStoreID+".awsapps.com/start", n.Region, n.Endpoints, files)
	user, err := n.userID(ctx, in.IdentityStoreID, userName)
	if err != nil {
		return p, err
	}
	p.Roles, err = n.roles(ctx, in.ARN, user)
	return p, err
}

// instanceIDs are what names an instance.
type instanceIDs struct {
	ARN             string `json:"InstanceArn"`
	IdentityStoreID string `json:"IdentityStoreId"`
}

// userID finds a person by user name.
func (n node) userID(ctx context.Context, store, userName string) (string, error) {
	type attribute struct{ AttributePath, AttributeValue string }
	type identifier struct{ UniqueAttribute attribute }
	in := struct {
		IdentityStoreID     string `json:"IdentityStoreId"`
		AlternateIdentifier identifier
	}{store, identifier{attribute{"userName", userName}}}
	var out struct {
		UserID string `json:"UserId"`
	}
	err := n.call(ctx, identitystore.Descriptor(), "GetUserId", in, &out)
	if e, refused := errors.AsType[*apiError](err); refused && e.Code == "ResourceNotFoundException" {
		return "", fmt.Errorf("there is no user %q", userName)
	}
	return out.UserID, err
}

// roles lists what a person may use, directly or through groups, each once.
func (n node) roles(ctx context.Context, instance, user string) (roles []clientenv.Role, err error) {
	type assignment struct {
		AccountID        string `json:"AccountId"`
		PermissionSetARN string `json:"PermissionSetArn"`
	}
	seen, names := make(map[assignment]bool), make(map[string]string)
	in := struct {
		InstanceARN   string `json:"InstanceArn"`
		PrincipalID   string `json:"PrincipalId"`
		PrincipalType string
		NextToken     string `json:",omitempty"`
	}{instance, user, "USER", ""}
	for {
		var out struct {
			AccountAssignments []assignment
			NextToken          string
		}
		if err := n.call(ctx, ssoadmin.Descriptor(), "ListAccountAssignmentsForPrincipal", in, &out); err != nil {
			return nil, err
		}
		for _, a := range out.AccountAssignments {
			if seen[a] {
				continue
			}
			seen[a] = true
			if names[a.PermissionSetARN] == "" {
				if names[a.PermissionSetARN], err = n.permissionSetName(ctx, instance, a.PermissionSetARN); err != nil {
					return nil, err
				}
			}
			roles = append(roles, clientenv.Role{AccountID: a.AccountID, Name: names[a.PermissionSetARN]})
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return roles, nil
		}
	}
}

func (n node) permissionSetName(ctx context.Context, instance, arn string) (string, error) {
	var out struct{ PermissionSet struct{ Name string } }
	in := struct {
		InstanceARN      string `json:"InstanceArn"`
		PermissionSetARN string `json:"PermissionSetArn"`
	}{instance, arn}
	err := n.call(ctx, ssoadmin.Descriptor(), "DescribePermissionSet", in, &out)
	return out.PermissionSet.Name, err
}
