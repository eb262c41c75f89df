package directory_test

import (
	"testing"

	"github.com/atrium-iam/atrium/internal/directory"
)

func TestAt(t *testing.T) {
	a := directory.Attributes{
		UserName: "mia", Name: directory.Name{GivenName: "Mia", FamilyName: "Ng"}, DisplayName: "Mia Ng", Title: "Dr",
		Emails:       []directory.Email{{Value: "mia@example.com", Type: "work"}},
		Addresses:    []directory.Address{{Region: "Hessen", Type: "work", Primary: new(false)}},
		PhoneNumbers: []directory.PhoneNumber{{Value: "+49 1", Type: "home", Primary: new(true)}},
		Extensions:   directory.Extensions{Enterprise: directory.Enterprise{CostCenter: "42", Manager: directory.Manager{Value: "boss"}}},
	}
	for path, want := range map[string]string{
		"userName": "mia", "name.givenName": "Mia", "name.familyName": "Ng", "displayName": "Mia Ng", "title": "Dr",
		"emails[primary eq true].value": "mia@example.com", `emails[type eq "work"].value`: "mia@example.com",
		"phoneNumbers[primary eq true].value": "+49 1", `addresses[type eq "work"].region`: "Hessen",
		"enterprise.costCenter": "42", "enterprise.manager.value": "boss",

		"nickName": "", "name": "", "name.middleName": "", "": "", ".": "", "nothing": "", "userName.x": "", "username": "",
		"emails": "", "emails.value": "", "emails[primary eq false].value": "", `emails[type eq "home"].value`: "",
		"addresses[primary eq true].region": "", `phoneNumbers[type eq "work"].value`: "", "emails[primary eq true]": "",
		"userName[primary eq true]": "", "emails[primary ne true].value": "", "extensions.aws:identitystore:enterprise.costCenter": "",
		"enterprise.department": "", `emails[type eq work].value`: "", "roles[primary eq true].value": "",
	} {
		if got, found := a.At(path); got != want || found != (want != "") {
			t.Errorf("%s: %q, %t, want %q", path, got, found, want)
		}
	}
}
