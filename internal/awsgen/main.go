// Command awsgen keeps AWS's service models, and those of Atrium's own settings
// API and access portal, and turns them into Go and TypeScript.
//
//	awsgen import -botocore DIR   read the vendor models, write model/*.json
//	awsgen generate               write internal/awsapi/* from model/ and its overlays,
//	                              and the pages' client in web/src/api
//
// Run it from the repository's root (make generate).
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/atrium-iam/atrium/internal/awsgen/botocore"
	"github.com/atrium-iam/atrium/internal/awsgen/golang"
	"github.com/atrium-iam/atrium/internal/awsgen/model"
	"github.com/atrium-iam/atrium/internal/awsgen/typescript"
)

// vendorServices are AWS's services, whose models are imported.
func vendorServices() []string {
	return []string{"identitystore", "organizations", "sso", "sso-admin", "sso-oidc", "sts"}
}

// services are all services. The models of settings and portal are written by
// hand: they serve what AWS has in its console and in its access portal only,
// and publishes no model of.
func services() []string { return append(vendorServices(), "portal", "settings") }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "awsgen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("say what to do: import or generate")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	models := flags.String("model", "model", "directory of the models and overlays")
	out := flags.String("out", filepath.Join("internal", "awsapi"), "directory of the generated packages")
	web := flags.String("web", filepath.Join("web", "src", "api"), "directory of the generated TypeScript")
	vendor := flags.String("botocore", "", "data directory of a botocore installation (import)")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "import":
		if *vendor == "" {
			return fmt.Errorf("import needs -botocore DIR")
		}
		return importModels(*vendor, *models)
	case "generate":
		return generate(*models, *out, *web)
	default:
		return fmt.Errorf("unknown verb %q: import or generate", args[0])
	}
}

func importModels(vendor, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the directory that the developer names
		return err
	}
	for _, id := range vendorServices() {
		s, err := botocore.Import(vendor, id)
		if err != nil {
			return err
		}
		if err := s.Write(dir); err != nil {
			return err
		}
	}
	return nil
}

func generate(dir, out, web string) error {
	var all []typescript.Service
	for _, id := range services() {
		s, err := model.Load(dir, id)
		if err != nil {
			return err
		}
		o, err := model.LoadOverlay(filepath.Join(dir, "overlay"), s)
		if err != nil {
			return err
		}
		if err := golang.Write(out, s, o); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		all = append(all, typescript.Service{Model: s, Overlay: o})
	}
	return typescript.Write(web, all)
}
