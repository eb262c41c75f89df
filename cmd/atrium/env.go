package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/clientenv"
)

// What a dev node keeps in its data directory for the other commands.
const (
	nodeFile = "node.json"          // of the running node; gone when it stops
	keyFile  = "administrator.json" // the administrator's access key
)

// node is what atrium env needs to know of a running dev node.
type node struct {
	Endpoints     clientenv.Endpoints
	CABundle      string // path of what vouches for its certificate; "" without TLS
	Region        string
	Administrator app.AccessKey
}

func writeNode(dir string, n node) error { return writeJSON(filepath.Join(dir, nodeFile), n) }

// writeJSON replaces path in one step, readable by its owner only.
func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func readJSON(path string, v any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	return nil
}

// ruleSetDir is the directory for AWS_DATA_PATH.
func ruleSetDir(dataDir string) string { return absolute(filepath.Join(dataDir, "aws")) }

type envCommand struct {
	DataDir string `default:".atrium" type:"path" help:"Directory of the node's data."`
}

// Run prints the exports.
func (e envCommand) Run(ctx context.Context, s streams) error {
	n, err := findNode(ctx, e.DataDir)
	if err != nil {
		return err
	}
	vars := []clientenv.Variable{
		{Name: "AWS_ACCESS_KEY_ID", Value: n.Administrator.ID},
		{Name: "AWS_SECRET_ACCESS_KEY", Value: n.Administrator.Secret},
		{Name: "AWS_REGION", Value: n.Region},
		{Name: "AWS_DEFAULT_REGION", Value: n.Region},
		{Name: "AWS_DATA_PATH", Value: ruleSetDir(e.DataDir)},
	}
	if n.CABundle != "" {
		vars = append(vars, clientenv.Variable{Name: "AWS_CA_BUNDLE", Value: n.CABundle}, clientenv.Variable{Name: "NODE_EXTRA_CA_CERTS", Value: n.CABundle})
	}
	vars = append(vars, clientenv.EndpointVariables(n.Endpoints)...)
	_, err = fmt.Fprint(s.out, "unset AWS_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN\n"+clientenv.Exports(vars))
	return err
}
