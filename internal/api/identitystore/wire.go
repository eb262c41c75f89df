package identitystore

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/identitystore"
	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// text returns what p points to, "" for nil: the model allows no empty text.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// optional is the inverse of text. What it returns is s itself.
func optional(s *string) *string {
	if *s == "" {
		return nil
	}
	return s
}

// each maps a list; an absent list stays absent. f may keep the pointer.
func each[A, B any](in []A, f func(*A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i := range in {
		out[i] = f(&in[i])
	}
	return out
}

// attributesOf reads the attributes of a new user.
func attributesOf(in *wire.CreateUserRequest) (directory.Attributes, error) {
	extensions, err := extensionsOf(in.Extensions)
	if err != nil {
		return directory.Attributes{}, err
	}
	return directory.Attributes{
		UserName: text(in.UserName), Name: nameOf(in.Name), DisplayName: text(in.DisplayName),
		NickName: text(in.NickName), ProfileURL: text(in.ProfileUrl),
		Emails: each(in.Emails, func(e *wire.Email) directory.Email {
			return directory.Email{Value: text(e.Value), Type: text(e.Type), Primary: e.Primary}
		}),
		Addresses: each(in.Addresses, addressOf),
		PhoneNumbers: each(in.PhoneNumbers, func(p *wire.PhoneNumber) directory.PhoneNumber {
			return directory.PhoneNumber{Value: text(p.Value), Type: text(p.Type), Primary: p.Primary}
		}),
		UserType: text(in.UserType), Title: text(in.Title), PreferredLanguage: text(in.PreferredLanguage),
		Locale: text(in.Locale), Timezone: text(in.Timezone),
		Photos: each(in.Photos, func(p *wire.Photo) directory.Photo {
			return directory.Photo{Value: text(p.Value), Type: text(p.Type), Display: text(p.Display), Primary: p.Primary}
		}),
		Website: text(in.Website), Birthdate: text(in.Birthdate),
		Roles: each(in.Roles, func(r *wire.Role) directory.Role {
			return directory.Role{Value: text(r.Value), Type: text(r.Type), Primary: r.Primary}
		}),
		Extensions: extensions,
	}, nil
}

func extensionsOf(in map[string]schema.JSON) (directory.Extensions, error) {
	documents := make(map[string]any, len(in))
	for name, document := range in {
		documents[name] = document.Value
	}
	return directory.ReadExtensions(documents)
}

func nameOf(in *wire.Name) directory.Name {
	if in == nil {
		return directory.Name{}
	}
	return directory.Name{
		Formatted: text(in.Formatted), FamilyName: text(in.FamilyName), GivenName: text(in.GivenName),
		MiddleName: text(in.MiddleName), HonorificPrefix: text(in.HonorificPrefix), HonorificSuffix: text(in.HonorificSuffix),
	}
}

func addressOf(in *wire.Address) directory.Address {
	return directory.Address{
		StreetAddress: text(in.StreetAddress), Locality: text(in.Locality), Region: text(in.Region),
		PostalCode: text(in.PostalCode), Country: text(in.Country), Formatted: text(in.Formatted),
		Type: text(in.Type), Primary: in.Primary,
	}
}

// wireUser writes a user with the documents of the extensions asked for. What
// it returns shares the memory of u.
func wireUser(u *directory.User, extensions []string) (wire.User, error) {
	documents, err := wireExtensions(u.Extensions, extensions)
	if err != nil {
		return wire.User{}, err
	}
	return wire.User{
		IdentityStoreId: &u.StoreID, UserId: &u.ID, UserName: optional(&u.UserName),
		ExternalIds: each(u.ExternalIDs, wireExternalID), Name: wireName(&u.Name), DisplayName: optional(&u.DisplayName),
		NickName: optional(&u.NickName), ProfileUrl: optional(&u.ProfileURL),
		Emails: each(u.Emails, func(e *directory.Email) wire.Email {
			return wire.Email{Value: optional(&e.Value), Type: optional(&e.Type), Primary: e.Primary}
		}),
		Addresses: each(u.Addresses, wireAddress),
		PhoneNumbers: each(u.PhoneNumbers, func(p *directory.PhoneNumber) wire.PhoneNumber {
			return wire.PhoneNumber{Value: optional(&p.Value), Type: optional(&p.Type), Primary: p.Primary}
		}),
		UserType: optional(&u.UserType), Title: optional(&u.Title), PreferredLanguage: optional(&u.PreferredLanguage),
		Locale: optional(&u.Locale), Timezone: optional(&u.Timezone), UserStatus: (*string)(&u.Status),
		Photos: each(u.Photos, func(p *directory.Photo) wire.Photo {
			return wire.Photo{Value: optional(&p.Value), Type: optional(&p.Type), Display: optional(&p.Display), Primary: p.Primary}
		}),
		Website: optional(&u.Website), Birthdate: optional(&u.Birthdate),
		Roles: each(u.Roles, func(r *directory.Role) wire.Role {
			return wire.Role{Value: optional(&r.Value), Type: optional(&r.Type), Primary: r.Primary}
		}),
		CreatedAt: &u.CreatedAt, CreatedBy: optional(&u.CreatedBy), UpdatedAt: &u.UpdatedAt, UpdatedBy: optional(&u.UpdatedBy),
		Extensions: documents,
	}, nil
}

// described is the user u as DescribeUser returns it.
func described(u wire.User) *wire.DescribeUserResponse {
	return &wire.DescribeUserResponse{
		IdentityStoreId: u.IdentityStoreId, UserId: u.UserId, UserName: u.UserName, ExternalIds: u.ExternalIds,
		Name: u.Name, DisplayName: u.DisplayName, NickName: u.NickName, ProfileUrl: u.ProfileUrl, Emails: u.Emails,
		Addresses: u.Addresses, PhoneNumbers: u.PhoneNumbers, UserType: u.UserType, Title: u.Title,
		PreferredLanguage: u.PreferredLanguage, Locale: u.Locale, Timezone: u.Timezone, UserStatus: u.UserStatus,
		Photos: u.Photos, Website: u.Website, Birthdate: u.Birthdate, Roles: u.Roles,
		CreatedAt: u.CreatedAt, CreatedBy: u.CreatedBy, UpdatedAt: u.UpdatedAt, UpdatedBy: u.UpdatedBy, Extensions: u.Extensions,
	}
}

func wireExtensions(e directory.Extensions, names []string) (map[string]schema.JSON, error) {
	var out map[string]schema.JSON
	for _, name := range names {
		document, err := e.Document(name)
		if err != nil {
			return nil, err
		}
		if document != nil {
			out = map[string]schema.JSON{name: {Value: document}}
		}
	}
	return out, nil
}

func wireExternalID(id *directory.ExternalID) wire.ExternalId {
	return wire.ExternalId{Issuer: &id.Issuer, Id: &id.ID}
}

func wireName(n *directory.Name) *wire.Name {
	if *n == (directory.Name{}) {
		return nil
	}
	return &wire.Name{
		Formatted: optional(&n.Formatted), FamilyName: optional(&n.FamilyName), GivenName: optional(&n.GivenName),
		MiddleName: optional(&n.MiddleName), HonorificPrefix: optional(&n.HonorificPrefix), HonorificSuffix: optional(&n.HonorificSuffix),
	}
}

func wireAddress(a *directory.Address) wire.Address {
	return wire.Address{
		StreetAddress: optional(&a.StreetAddress), Locality: optional(&a.Locality), Region: optional(&a.Region),
		PostalCode: optional(&a.PostalCode), Country: optional(&a.Country), Formatted: optional(&a.Formatted),
		Type: optional(&a.Type), Primary: a.Primary,
	}
}

func wireGroup(g *directory.Group) wire.Group {
	return wire.Group{
		GroupId: &g.ID, DisplayName: optional(&g.DisplayName), ExternalIds: each(g.ExternalIDs, wireExternalID),
		Description: optional(&g.Description), CreatedAt: &g.CreatedAt, UpdatedAt: &g.UpdatedAt,
		CreatedBy: optional(&g.CreatedBy), UpdatedBy: optional(&g.UpdatedBy), IdentityStoreId: &g.StoreID,
	}
}

func wireMembership(m *directory.Membership) wire.GroupMembership {
	return wire.GroupMembership{
		IdentityStoreId: &m.StoreID, MembershipId: &m.ID, GroupId: &m.GroupID, MemberId: &wire.MemberId{UserId: &m.UserID},
		CreatedAt: &m.CreatedAt, UpdatedAt: &m.UpdatedAt, CreatedBy: optional(&m.CreatedBy), UpdatedBy: optional(&m.UpdatedBy),
	}
}

func wireMemberships(in []directory.Membership) []wire.GroupMembership {
	out := make([]wire.GroupMembership, len(in))
	for i := range in {
		out[i] = wireMembership(&in[i])
	}
	return out
}
