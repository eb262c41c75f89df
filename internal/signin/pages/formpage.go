package pages

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// formPage is the page on which the form of a request stands, for whoever has
// to go back to it; found is false when that cannot be told. Its address is
// made anew.
func (v *visit) formPage() (page string, found bool, err error) {
	path := v.r.URL.Path
	switch {
	case path == "/signin":
		return v.signInPage("", destination(v.field("to"))), true, nil
	case path == "/signin/out":
		if self, _ := v.self(); self.ID != "" {
			return v.home(), true, nil
		}
		return "/signin/signed-out", true, nil
	case strings.HasPrefix(path, "/signin/"):
		return v.attemptPage()
	case path == "/root/signin", strings.HasPrefix(path, "/root/link/"), strings.HasPrefix(path, "/link/"):
		return path, true, nil
	case path == "/root/enable":
		return "/root", true, nil
	case path == "/device", strings.HasPrefix(path, "/device/"):
		return devicePath(v.field("user_code")), true, nil
	case strings.HasPrefix(path, "/authorize/"):
		page = destination(ConsentPath + "?request=" + escape(v.field("request")))
		return page, strings.HasPrefix(page, ConsentPath), nil
	case strings.HasPrefix(path, verifyPath+"/"):
		return accountPage(v.field("to")), true, nil
	case strings.HasPrefix(path, accountHome+"/"):
		return formPageOf(path), true, nil
	default:
		return "", false, nil
	}
}

// attemptPage is the page of the address's sign-in: its step, or where it leads
// when the person has signed in meanwhile, in another tab.
func (v *visit) attemptPage() (page string, found bool, err error) {
	id := v.r.PathValue("id")
	a, _, err := v.pages.Flow.Begun(v.r.Context(), v.Visit, id)
	if self, _ := v.self(); self.ID != "" && a.StoreID == self.StoreID && !a.Enroll {
		return destination(a.Destination), err == nil, err
	}
	return "/signin/" + id, requestID.MatchString(id), err
}

// repeatable is what a page of accounts can ask a person to do once more: what
// the one form of the page does, or to rename or remove a device.
var repeatable = regexp.MustCompile(`^(?:yes|(?:rename|remove)-[0-9A-Za-z-]{1,64})$`)

// formPageOf is the page of accounts that has the form of a path, and asks to
// send it once more.
func formPageOf(path string) string {
	again := "yes"
	if rest, ok := strings.CutPrefix(path, devicesPath+"/"); ok {
		again = strings.Replace(rest, "/", "-", 1)
	}
	if !repeatable.MatchString(again) {
		again = "yes"
	}
	return accountPath(path) + "?repeat=" + again
}

// accountPage is the page of accounts that an address is, or belongs to.
func accountPage(asked string) string {
	u, err := url.ParseRequestURI(asked)
	if err != nil {
		return devicesPath
	}
	page := accountPath(u.Path)
	if again := u.Query().Get("repeat"); repeatable.MatchString(again) {
		page += "?repeat=" + again
	}
	return page
}

// accountPath is the path of that page.
func accountPath(path string) string {
	for _, one := range accountPaths() {
		if path == one || strings.HasPrefix(path, one+"/") {
			return one
		}
	}
	return devicesPath
}

// Repeat tells whether the page asks the person to do something once more.
func (p *page) Repeat() bool { return repeated(p.visit.r) != "" }

// repeated is what that is, in the words of repeatable; "" for nothing.
func repeated(r *http.Request) string {
	again := r.URL.Query().Get("repeat")
	if !repeatable.MatchString(again) {
		return ""
	}
	return again
}
