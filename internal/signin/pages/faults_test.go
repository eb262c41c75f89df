package pages_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/text"
)

// silent are the packages below the pages whose faults reach nobody there, with
// the reason.
func silent() map[string]string {
	return map[string]string{
		"assignment": "pages only list what is assigned", "audit": "appending has no faults of its own",
		"clientenv": "writes texts", "epoch": "is for keys, which browsers do not have", "fault": "the vocabulary", "ident": "makes names",
		"iam": "is for keys, which browsers do not have", "instance": "pages only read the instance",
		"organization": "pages only read the organization", "permissionset": "pages only list what is assigned",
		"policy": "is for keys, which browsers do not have", "policy/awsmanaged": "documents", "text": "the catalogue", "webui": "files",
	}
}

// elsewhere are the faults that pages tell by texts of their own, with the text:
// those that belong to a field, or that lead on to another page.
func elsewhere() map[string]string {
	return map[string]string{
		"denied.factor":                   "factor.wrong",
		"denied.mail_code":                "mailcode.wrong",
		"denied.password":                 "password.wrong",
		"denied.step_up":                  "verify.me.intro",
		"invalid.mfa_device_name":         "register.name.wrong",
		"invalid.password":                "newpassword.PASSWORD_LENGTH",
		"not_found.mail_code":             "mailcode.gone",
		"not_found.mail_link":             "linkgone.LINK_UNKNOWN",
		"not_found.mfa_challenge":         "factor.late",
		"not_found.signin_attempt":        "expired.text",
		"not_found.signin_step":           "expired.text",
		"not_found.user_code":             "gone.text",
		"not_found.authorization_request": "gone.text",
		"denied.authorization_request":    "gone.text",
		"conflict.user_code":              "gone.text",
		"unavailable.user_code":           "gone.text",
		"throttled.tries":                 "throttled.text",
	}
}

// unseen are the faults of those packages that only operations answer with,
// or that show no page, with the reason.
func unseen() map[string]string {
	return map[string]string{
		"conflict.auth_settings":     "the settings are changed by operations",
		"invalid.auth_settings":      "the settings are changed by operations",
		"denied.access_denied":       "what a client is told when it asks for tokens",
		"denied.token":               "what a client is told, or the portal's script",
		"throttled.slow_down":        "what a client is told that polls",
		"not_found.group":            "pages read no groups",
		"not_found.group_membership": "pages read no memberships",
		"not_found.identity_store":   "pages read the portal's own store",
		"conflict.user":              "pages change no attributes of people",
		"conflict.group":             "pages read no groups",
		"invalid":                    "pages change no attributes of people",
		"invalid.filter":             "pages search for nobody",
		"invalid.mail":               "letters that administrators send",
		"denied.mail_link":           "letters that administrators send",
		"conflict.idempotency_token": "browsers send none",
		"conflict.account":           "of the first start",
		"quota.access_key":           "of commands on the server",
		"not_found.access_key":       "of commands on the server",
		"denied.cross_site":          "what the portal's script is told",
		"denied.insecure":            "what the portal's script is told",
		"denied.csrf":                "what the portal's script is told",
		"not_found.signin_step":      "leads to the step that comes next",
		"not_found.instance":         "what the portal's script is told",
	}
}

// open are functions whose faults get their subject from who calls them, with
// the subjects that they can get.
func open() map[string][]string {
	return map[string][]string{
		"directory.notFound":   {"user", "group", "group_membership"},
		"directory.duplicate":  {"user", "group"},
		"directory.concurrent": {"user", "group"},
		// The sign-in goes on at the step that it is at.
		"signin.errMoved": {"signin_step"},
		"pages.waiting":   {"signin_step"},
		// Clients are told OAuth's codes; people see the pages of Fail.
		"oauth.invalid": nil,
	}
}

// TestFaultsHaveTexts finds every fault that the packages below the pages can
// answer with, and wants a text for each in the catalogue: nobody is ever shown
// the words that operations use, nor the text for what nobody thought of.
func TestFaultsHaveTexts(t *testing.T) {
	c, err := text.English()
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	quiet, made := silent(), open()
	for _, pkg := range below(t, "signin/pages") {
		if _, is := quiet[pkg]; is {
			delete(quiet, pkg)
			continue
		}
		faultsOf(t, pkg, made, found)
	}
	faultsOf(t, "store", made, found)
	faultsOf(t, "app", made, found)
	found["conflict.instance"] = "instance.Enable, by the root user"
	told, never := elsewhere(), unseen()
	for key, where := range found {
		as, isTold := told[key]
		_, isUnseen := never[key]
		switch {
		case strings.HasPrefix(key, "internal"): // always told as one of ours
		case isTold && !c.Has(as):
			t.Errorf("%s: %s is told as %q, which the catalogue has not", where, key, as)
		case !isTold && !isUnseen && !c.Has("fault."+key):
			t.Errorf("%s: the catalogue has no text \"fault.%s\"", where, key)
		case isUnseen && c.Has("fault."+key):
			t.Errorf("%s: nobody sees the text of %s", where, key)
		}
		delete(told, key)
		delete(never, key)
	}
	for key := range told {
		t.Errorf("nothing answers with %s, which is told elsewhere", key)
	}
	for key := range never {
		t.Errorf("nothing answers with %s, which nobody sees", key)
	}
	for pkg := range quiet {
		t.Errorf("the pages do not need %s, which is silent", pkg)
	}
	for function := range made {
		t.Errorf("there is no %s that makes faults", function)
	}
	for _, key := range c.Keys() {
		if rest, is := strings.CutPrefix(key, "fault."); is && found[rest] == "" {
			t.Errorf("nothing answers with %s, which has a text", rest)
		}
	}
}

// module is where this module's packages are.
const module = "github.com/atrium-iam/atrium/internal/"

// below returns the module's packages that one imports, directly or not, with
// itself.
func below(t *testing.T, root string) []string {
	t.Helper()
	seen := []string{root}
	for i := 0; i < len(seen); i++ {
		for _, file := range parsed(t, seen[i], parser.ImportsOnly) {
			for _, spec := range file.Imports {
				name, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if pkg, ours := strings.CutPrefix(name, module); ours && !slices.Contains(seen, pkg) {
					seen = append(seen, pkg)
				}
			}
		}
	}
	return seen
}

// parsed reads a package's files, without its tests, by name.
func parsed(t *testing.T, pkg string, mode parser.Mode) map[string]*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pkg), "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("the package %s: %v", pkg, err)
	}
	files := make(map[string]*ast.File)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if files[name], err = parser.ParseFile(token.NewFileSet(), name, source, mode); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// faultsOf adds the faults that a package makes to found, with the file.
func faultsOf(t *testing.T, pkg string, made map[string][]string, found map[string]string) {
	t.Helper()
	for name, file := range parsed(t, pkg, parser.SkipObjectResolution) {
		for _, decl := range file.Decls {
			function := path.Base(pkg) + "."
			if f, is := decl.(*ast.FuncDecl); is {
				function += f.Name.Name
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				category, subject, is := newFault(n)
				if !is {
					return true
				}
				var subjects []string
				var listed bool
				if literal, is := subject.(*ast.BasicLit); is {
					subjects = []string{strings.Trim(literal.Value, `"`)}
				} else if subjects, listed = open()[function]; !listed {
					t.Errorf("%s: %s makes faults with a subject that is not written there", name, function)
				}
				delete(made, function)
				for _, s := range subjects {
					found[strings.TrimSuffix(category+"."+s, ".")] = name
				}
				return true
			})
		}
	}
}

// newFault tells the category and the subject of a call of fault.New.
func newFault(n ast.Node) (category string, subject ast.Expr, is bool) {
	call, is := n.(*ast.CallExpr)
	if !is || len(call.Args) < 3 {
		return "", nil, false
	}
	function, is := call.Fun.(*ast.SelectorExpr)
	if !is || !named(function.X, "fault") || function.Sel.Name != "New" {
		return "", nil, false
	}
	c, is := call.Args[0].(*ast.SelectorExpr)
	if !is {
		return "", nil, false
	}
	names := map[string]string{
		"Internal": "internal", "Invalid": "invalid", "NotFound": "not_found", "Conflict": "conflict", "Denied": "denied",
		"Quota": "quota", "Throttled": "throttled", "Unavailable": "unavailable", "Unimplemented": "unimplemented",
	}
	return names[c.Sel.Name], call.Args[1], true
}

func named(e ast.Expr, name string) bool {
	i, is := e.(*ast.Ident)
	return is && i.Name == name
}
