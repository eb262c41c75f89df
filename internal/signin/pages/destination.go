package pages

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

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
	case u.Path == accountHome:
		return u.Path
	case slices.Contains(accountPaths(), u.Path):
		return accountPage(asked)
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

// signInPage is where those begin to sign in who are of an identity store, "" for
// any, and want to get to a destination. Root users have a page of their own;
// nobody else can sign in while Identity Center is not enabled.
func (v *visit) signInPage(storeID, to string) string {
	page := "/signin"
	if signin.IsRoot(storeID) || v.disabled || to == signin.RootDestination {
		page, to = "/root/signin", rootDestination(to)
	}
	if to == signin.RootDestination || to == "/start" {
		return page
	}
	return page + "?to=" + escape(to)
}

// rootDestination is destination for root users.
func rootDestination(asked string) string {
	if to := destination(asked); to == accountHome || strings.HasPrefix(to, accountHome+"/") {
		return to
	}
	return signin.RootDestination
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
