// Command atrium is a self-hosted IAM Identity Center.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/atrium-iam/atrium/internal/config"
)

// version is set by the linker.
var version = "devel"

// The exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

// cli is the command line.
type cli struct {
	Dev         devCommand         `cmd:"" help:"Run one node on this machine, with sample data on its first start."`
	Env         envCommand         `cmd:"" help:"Print shell exports that point AWS clients at the running dev node, as its administrator."`
	AWSConfig   awsConfigCommand   `cmd:"" name:"aws-config" help:"Print an AWS configuration for a person: a profile for every account and role, at the running dev node."`
	CLIModel    cliModelCommand    `cmd:"" name:"cli-model" help:"Print the settings API's model, for aws configure add-model."`
	Serve       serveCommand       `cmd:"" help:"Run a node in production."`
	Init        initCommand        `cmd:"" help:"Create the management account and its administrator, once."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the database's schema up to date."`
	Keys        keysCommand        `cmd:"" help:"Manage the keys that seal secrets and tokens."`
	AdminKey    adminKeyCommand    `cmd:"" help:"Manage the access keys of the management account's administrator."`
	Root        rootCommand        `cmd:"" help:"Recover the root user of the management account."`
	Audit       auditCommand       `cmd:"" help:"Read and verify the audit trail."`
	Healthcheck healthcheckCommand `cmd:"" help:"Exit 0 when a node answers that it is ready."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// newCLI returns the command line, with the configuration's keys as flags of
// every command that reads it.
func newCLI(flags config.Flags) *cli {
	c := new(cli)
	for _, command := range []*configured{
		&c.Serve.configured, &c.Init.configured, &c.Migrate.configured, &c.Keys.Rotate.configured, &c.Keys.Reseal.configured, &c.Keys.ReplaceRoot.configured,
		&c.AdminKey.List.configured, &c.AdminKey.Rotate.configured, &c.AdminKey.Disable.configured, &c.AdminKey.Enable.configured,
		&c.Audit.Verify.configured, &c.Audit.List.configured, &c.Root.Reset.configured,
	} {
		command.Plugins = kong.Plugins{flags.Pointer()}
	}
	return c
}

// streams are where commands write.
type streams struct{ out, err io.Writer }

// usageError is a mistake on the command line or in the configuration.
type usageError struct{ error }

func main() {
	collectLessOften()
	os.Exit(run(os.Args[1:], streams{os.Stdout, os.Stderr}))
}

func run(args []string, s streams) int {
	flags := config.NewFlags()
	c := newCLI(flags)
	exited := -1
	parser, err := kong.New(c, kong.Name("atrium"),
		kong.Description("A self-hosted IAM Identity Center: one front door for every AWS-compatible account."),
		kong.UsageOnError(), kong.Writers(s.out, s.err), kong.Exit(func(code int) { exited = code }))
	if err != nil {
		fmt.Fprintln(s.err, "atrium:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help
	}
	if err != nil {
		fmt.Fprintln(s.err, "atrium:", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(s, flags)
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(s.err, "atrium:", err)
		if _, usage := errors.AsType[usageError](err); usage {
			return exitUsage
		}
		return exitFailed
	}
	return 0
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintln(s.out, "atrium", version)
	return err
}
