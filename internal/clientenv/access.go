package clientenv

import (
	"fmt"
	"strings"
)

// SessionName is the name of the sso-session in configurations.
const SessionName = "atrium"

// Files are the files of a dev node that clients on its machine need.
type Files struct {
	// DataPath is the directory that WriteRuleSets wrote, and CABundle the
	// certificate of the local CA. Both may be "".
	DataPath, CABundle string
}

// ForPerson returns what a person's clients need, without roles. startURL is
// one of AWS's own names.
func ForPerson(userName, startURL, region string, e Endpoints, files Files) Portal {
	return Portal{
		Session: SessionName, UserName: userName, StartURL: startURL, BrowserURL: e.People + "/start", Region: region,
		Endpoints: e, DataPath: files.DataPath, CABundle: files.CABundle,
	}
}

// What stands in texts for parts of credentials, which are filled in where the
// credentials are. Credentials consist of letters, digits and + / = _ - only,
// which mean nothing to a shell within the quotes that the texts have.
const (
	AccessKeyID     = "{accessKeyId}"
	SecretAccessKey = "{secretAccessKey}"
	SessionToken    = "{sessionToken}"
)

// Access is what a person pastes to use one role.
type Access struct {
	// Profile is the name of the role's profile, Config the configuration for
	// it and Commands how it is used.
	Profile, Config, Commands string
	// Bash, PowerShell and CommandPrompt set environment variables, and
	// CredentialsFile is a profile for ~/.aws/credentials. They hold the
	// places of credentials.
	Bash, PowerShell, CommandPrompt, CredentialsFile string
}

// Access returns what the person pastes to use r.
func (p Portal) Access(r Role) (a Access, err error) {
	a.Profile = r.Profile()
	profile := Quote(a.Profile)
	a.Commands = "aws sso login --profile " + profile + "\naws sts get-caller-identity --profile " + profile + "\n"
	p.Roles = []Role{r}
	if a.Config, err = p.Config(); err != nil {
		return Access{}, err
	}
	vars := p.variables()
	a.Bash = Exports(vars)
	if a.PowerShell, err = powerShell(vars); err != nil {
		return Access{}, err
	}
	if a.CommandPrompt, err = commandPrompt(vars); err != nil {
		return Access{}, err
	}
	a.CredentialsFile, err = p.credentialsFile(r)
	return a, err
}

// variables are what programs take credentials from.
func (p Portal) variables() []Variable {
	vars := []Variable{
		{"AWS_ACCESS_KEY_ID", AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", SecretAccessKey},
		{"AWS_SESSION_TOKEN", SessionToken},
		{"AWS_REGION", p.Region},
		{"AWS_DEFAULT_REGION", p.Region}, // SDKs know the one, the AWS CLI the other
		{"AWS_ENDPOINT_URL", p.Endpoints.People},
		{"AWS_ENDPOINT_URL_S3", p.Endpoints.Data},
	}
	if p.DataPath != "" {
		vars = append(vars, Variable{"AWS_DATA_PATH", p.DataPath})
	}
	if p.CABundle != "" {
		vars = append(vars, Variable{"AWS_CA_BUNDLE", p.CABundle}, Variable{"NODE_EXTRA_CA_CERTS", p.CABundle})
	}
	return vars
}

// powerShell sets vars in PowerShell.
func powerShell(vars []Variable) (string, error) {
	var b strings.Builder
	for _, v := range vars {
		if strings.ContainsAny(v.Value, "\x00\r\n") {
			return "", fmt.Errorf("a line of PowerShell cannot hold %q", v.Value)
		}
		// PowerShell takes typographic quotes for quotes, too.
		quoted := strings.NewReplacer("'", "''", "‘", "‘‘", "’", "’’", "‚", "‚‚", "‛", "‛‛").Replace(v.Value)
		fmt.Fprintf(&b, "$Env:%s='%s'\n", v.Name, quoted)
	}
	return b.String(), nil
}

// commandPrompt sets vars in Windows' cmd.exe, which has no way to write a
// value with a percent sign or a quote that means the same when typed and in a
// file.
func commandPrompt(vars []Variable) (string, error) {
	var b strings.Builder
	for _, v := range vars {
		if strings.ContainsAny(v.Value, "\x00\r\n\"%!") {
			return "", fmt.Errorf("a line of the Windows command prompt cannot hold %q", v.Value)
		}
		fmt.Fprintf(&b, "SET \"%s=%s\"\n", v.Name, v.Value)
	}
	return b.String(), nil
}

// credentialsFile is a profile with credentials. All goes to the data host,
// where signed requests to every service are answered, because such a profile
// has one endpoint only.
func (p Portal) credentialsFile(r Role) (string, error) {
	settings := []Setting{
		{Key: "aws_access_key_id", Value: AccessKeyID},
		{Key: "aws_secret_access_key", Value: SecretAccessKey},
		{Key: "aws_session_token", Value: SessionToken},
		{Key: "region", Value: p.Region},
		{Key: "endpoint_url", Value: p.Endpoints.Data},
	}
	if p.CABundle != "" {
		settings = append(settings, Setting{Key: "ca_bundle", Value: p.CABundle})
	}
	text, err := File{Sections: []Section{{Kind: "profile", Name: r.AccountID + "_" + r.Name, Settings: settings}}}.Format()
	// Sections of this file have no kind.
	return strings.Replace(text, "[profile ", "[", 1), err
}
