package golang

import "testing"

func TestExported(t *testing.T) {
	for in, want := range map[string]string{
		"roleName": "RoleName", "error_description": "ErrorDescription", "RL3": "RL3", "a-b.c": "ABC",
	} {
		if got := exported(in); got != want {
			t.Errorf("exported(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEnumSuffix(t *testing.T) {
	for in, want := range map[string]string{
		"IN_PROGRESS": "InProgress", "Enterprise": "Enterprise", "2FA": "_2fa", "aws:x": "AwsX",
	} {
		if got := enumSuffix(in); got != want {
			t.Errorf("enumSuffix(%q) = %q, want %q", in, got, want)
		}
	}
}
