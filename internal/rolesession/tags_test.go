package rolesession_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/instance"
	"github.com/atrium-iam/atrium/internal/rolesession"
)

func TestSessionTags(t *testing.T) {
	u := directory.User{Attributes: directory.Attributes{
		UserName: "mia", Title: "Köchin 2.0", NickName: "a*b", Website: strings.Repeat("x", 257), Locale: strings.Repeat("é", 256),
		Extensions: directory.Extensions{Enterprise: directory.Enterprise{CostCenter: "42"}},
	}}
	tags, err := rolesession.SessionTags([]instance.AccessControlAttribute{
		{Key: "CostCenter", Source: "${path:enterprise.costCenter}"},
		{Key: "Title", Source: "${path:title}"},
		{Key: "Locale", Source: "${path:locale}"},
		{Key: "Team", Source: "${path:enterprise.department}"},
		{Key: "Fixed", Source: "userName"},
		{Key: "Open", Source: "${path:userName"},
		{Key: "Other", Source: "${dir:email}"},
	}, u)
	want := map[string]string{"CostCenter": "42", "Title": "Köchin 2.0", "Locale": strings.Repeat("é", 256)}
	if diff := cmp.Diff(want, tags); err != nil || diff != "" {
		t.Errorf("%v, tags (-want +got):\n%s", err, diff)
	}
	for _, path := range []string{"nickName", "website"} {
		_, err := rolesession.SessionTags([]instance.AccessControlAttribute{{Key: "Team", Source: "${path:" + path + "}"}}, u)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "Team") || strings.Contains(err.Error(), "a*b") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if tags, err := rolesession.SessionTags(nil, u); err != nil || tags != nil {
		t.Errorf("without attributes: %v, %v", tags, err)
	}
}
