package directory

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Attributes are what a caller may set on a user. An empty string, list or
// structure is an attribute that the user does not have. Strings have 1-1,024
// characters unless said otherwise.
//
// The JSON form is the one in which attributes are stored and in which
// updates address them.
type Attributes struct {
	UserName          string        `json:"userName,omitzero"` // 1-128 characters without spaces, unique
	Name              Name          `json:"name,omitzero"`
	DisplayName       string        `json:"displayName,omitzero"`
	NickName          string        `json:"nickName,omitzero"`
	ProfileURL        string        `json:"profileUrl,omitzero"`
	Emails            []Email       `json:"emails,omitempty"`       // at most 1, unique
	Addresses         []Address     `json:"addresses,omitempty"`    // at most 1
	PhoneNumbers      []PhoneNumber `json:"phoneNumbers,omitempty"` // at most 1
	UserType          string        `json:"userType,omitzero"`
	Title             string        `json:"title,omitzero"`
	PreferredLanguage string        `json:"preferredLanguage,omitzero"`
	Locale            string        `json:"locale,omitzero"`
	Timezone          string        `json:"timezone,omitzero"`
	Photos            []Photo       `json:"photos,omitempty"` // at most 3, at most one of them primary
	Website           string        `json:"website,omitzero"`
	Birthdate         string        `json:"birthdate,omitzero"` // YYYY-MM-DD
	Roles             []Role        `json:"roles,omitempty"`    // at most 1
	Extensions        Extensions    `json:"extensions,omitzero"`
}

// Name is the parts of a person's name.
type Name struct {
	Formatted       string `json:"formatted,omitzero"`
	FamilyName      string `json:"familyName,omitzero"`
	GivenName       string `json:"givenName,omitzero"`
	MiddleName      string `json:"middleName,omitzero"`
	HonorificPrefix string `json:"honorificPrefix,omitzero"`
	HonorificSuffix string `json:"honorificSuffix,omitzero"`
}

// Email is an e-mail address. Primary is nil when it was not given.
type Email struct {
	Value   string `json:"value,omitzero"`
	Type    string `json:"type,omitzero"`
	Primary *bool  `json:"primary,omitzero"`
}

// Address is a postal address. Primary is nil when it was not given.
type Address struct {
	StreetAddress string `json:"streetAddress,omitzero"`
	Locality      string `json:"locality,omitzero"`
	Region        string `json:"region,omitzero"`
	PostalCode    string `json:"postalCode,omitzero"`
	Country       string `json:"country,omitzero"`
	Formatted     string `json:"formatted,omitzero"`
	Type          string `json:"type,omitzero"`
	Primary       *bool  `json:"primary,omitzero"`
}

// PhoneNumber is a telephone number. Primary is nil when it was not given.
type PhoneNumber struct {
	Value   string `json:"value,omitzero"`
	Type    string `json:"type,omitzero"`
	Primary *bool  `json:"primary,omitzero"`
}

// Photo is a picture: its data or where to find it. Primary is nil when it
// was not given.
type Photo struct {
	Value   string `json:"value,omitzero"`
	Type    string `json:"type,omitzero"`
	Display string `json:"display,omitzero"`
	Primary *bool  `json:"primary,omitzero"`
}

// Role is a role in the person's organization, such as "Researcher"; it has
// nothing to do with IAM. Primary is nil when it was not given.
type Role struct {
	Value   string `json:"value,omitzero"`
	Type    string `json:"type,omitzero"`
	Primary *bool  `json:"primary,omitzero"`
}

// Extensions are a user's additional attributes by extension.
type Extensions struct {
	Enterprise Enterprise `json:"aws:identitystore:enterprise,omitzero"`
}

// Enterprise is the extension EnterpriseExtension: the enterprise user of
// SCIM (RFC 7643, 4.3).
type Enterprise struct {
	EmployeeNumber string  `json:"employeeNumber,omitzero"`
	CostCenter     string  `json:"costCenter,omitzero"`
	Organization   string  `json:"organization,omitzero"`
	Division       string  `json:"division,omitzero"`
	Department     string  `json:"department,omitzero"`
	Manager        Manager `json:"manager,omitzero"`
}

// Manager is the user's manager. Value is an id of the caller's choosing:
// the directory does not look it up.
type Manager struct {
	Value       string `json:"value,omitzero"`
	Ref         string `json:"$ref,omitzero"`
	DisplayName string `json:"displayName,omitzero"`
}

// Email is the user's e-mail address, "" when there is none.
func (a *Attributes) Email() string {
	if len(a.Emails) == 0 {
		return ""
	}
	return a.Emails[0].Value
}

// ReadExtensions reads extension documents by extension name. Numbers in the
// documents may be of any type: no attribute is a number.
func ReadExtensions(documents map[string]any) (Extensions, error) {
	var out Extensions
	for name := range documents {
		if err := checkExtension(name); err != nil {
			return out, err
		}
	}
	part, _ := userSchema.part("extensions")
	accepted, err := part.acceptObject("", documents)
	if err != nil {
		return out, err
	}
	return out, convert(accepted, &out)
}

// Document returns the document of the extension called name. It is nil when
// the user has no attribute of that extension, and a fault.Invalid when AWS
// has no such extension.
func (e Extensions) Document(name string) (map[string]any, error) {
	if err := checkExtension(name); err != nil {
		return nil, err
	}
	if e.Enterprise == (Enterprise{}) {
		return nil, nil
	}
	var document map[string]any
	return document, convert(e.Enterprise, &document)
}

func checkExtension(name string) error {
	if name != EnterpriseExtension {
		return invalid("The extension %s is not supported. The supported extension is %s.", name, EnterpriseExtension)
	}
	return nil
}

// check returns the first rule that a breaks.
func (a *Attributes) check() error {
	if err := a.require(); err != nil {
		return err
	}
	var document map[string]any
	if err := convert(a, &document); err != nil {
		return err
	}
	if _, err := userSchema.acceptObject("", document); err != nil {
		return err
	}
	return a.checkValues()
}

// with returns a after operations.
func (a *Attributes) with(operations []Operation) (changed Attributes, err error) {
	var document map[string]any
	if err := convert(a, &document); err != nil {
		return changed, err
	}
	if err := apply(&userSchema, document, operations); err != nil {
		return changed, err
	}
	if err := convert(document, &changed); err != nil {
		return changed, err
	}
	if err := changed.require(); err != nil {
		return changed, err
	}
	return changed, changed.checkValues()
}

// checkValues checks the values that have a rule of their own.
func (a *Attributes) checkValues() error {
	if err := checkReserved(a.UserName); err != nil {
		return err
	}
	if a.Birthdate == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, a.Birthdate); err != nil {
		return invalid("The value of the attribute birthdate must be a date in the form YYYY-MM-DD.")
	}
	return nil
}

// require checks that a has what every user must have.
func (a *Attributes) require() error {
	if a.UserName == "" {
		return invalid("userName is a required attribute")
	}
	var absent []string
	if a.DisplayName == "" {
		absent = append(absent, "displayname")
	}
	switch {
	case a.Name == (Name{}):
		absent = append(absent, "name")
	default:
		if a.Name.GivenName == "" {
			absent = append(absent, "givenname")
		}
		if a.Name.FamilyName == "" {
			absent = append(absent, "familyname")
		}
	}
	if len(absent) == 0 {
		return nil
	}
	return missing(absent...)
}

// checkReserved refuses the names that AWS keeps for itself.
func checkReserved(name string) error {
	if strings.EqualFold(name, "Administrator") || strings.EqualFold(name, "AWSAdministrators") {
		return invalid("%s is a reserved name and can't be used for users or groups.", name)
	}
	return nil
}

// maxExternalIDs is how many external ids a user or group may have.
const maxExternalIDs = 10

// checkExternalIDs holds external ids to the model's constraints.
func checkExternalIDs(ids []ExternalID) error {
	if len(ids) > maxExternalIDs {
		return invalid("List attribute externalIds exceeds allowed limit of %d", maxExternalIDs)
	}
	for _, id := range ids {
		if broken := externalText.violated(id.Issuer); broken != "" {
			return violation("externalIds.issuer", broken)
		}
		if broken := externalText.violated(id.ID); broken != "" {
			return violation("externalIds.id", broken)
		}
	}
	return nil
}

// missing says that attributes are required, in AWS's words.
func missing(attributes ...string) error {
	told := make([]string, len(attributes))
	for i, a := range attributes {
		told[i] = fmt.Sprintf("%[1]s: The attribute %[1]s is required", a)
	}
	return invalid("%s", strings.Join(told, ", "))
}

// convert turns one form of attributes into another by way of JSON.
func convert(from, to any) error {
	encoded, err := json.Marshal(from)
	if err != nil {
		return fmt.Errorf("directory: encoding attributes: %w", err)
	}
	if err := json.Unmarshal(encoded, to); err != nil {
		return fmt.Errorf("directory: decoding attributes: %w", err)
	}
	return nil
}
