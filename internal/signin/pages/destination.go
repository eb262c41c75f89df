package pages

import (
	"net/url"
	"regexp"
	"slices"

	"github.com/atrium-iam/atrium/internal/signin"
)

var (
	requestID = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	typedCode = regexp.MustCompile(`^[A-Za-z0-9 -]{1,64}$`)
)

// destination returns the page to which a person goes after signing in. What
// is asked for is only compared with the pages that there are, and the address
// is made anew, so that nobody is ever sent anywhere else.
func destination(asked string) string {
	u, err := url.ParseRequestURI(asked)
	if err != nil || u.IsAbs() || u.Host != "" {
		return "/start"
	}
	switch {
	case u.Path == accountHome, slices.Contains(accountPaths(), u.Path):
		return u.Path
	case u.Path == "/device":
		return devicePath(u.Query().Get("user_code"))
	case u.Path == ConsentPath && requestID.MatchString(u.Query().Get("request")):
		return ConsentPath + "?request=" + u.Query().Get("request")
	case u.Path == signin.RootDestination:
		return u.Path
	default:
		return "/start"
	}
}

// devicePath is the address of the page about a user code, or of the one that
// asks for it.
func devicePath(code string) string {
	if !typedCode.MatchString(code) {
		return "/device"
	}
	return "/device?user_code=" + escape(code)
}

func escape(s string) string { return url.QueryEscape(s) }
