package main

import (
	"os"
	"path/filepath"

	"github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/climodel"
)

type cliModelCommand struct {
	Paginators bool `help:"Print how lists are paged instead: the file paginators-1.json beside the model."`
}

// settingsName is how clients call the settings API: aws atrium ….
func settingsName() climodel.Name {
	return climodel.Name{Command: "atrium", Title: "Atrium settings", ID: "Atrium"}
}

// Run prints the model of the settings API.
func (c cliModelCommand) Run(s streams) error {
	raw, err := climodel.Write(settings.Descriptor(), settingsName())
	if c.Paginators {
		raw, err = climodel.WritePaginators(settings.Descriptor())
	}
	if err != nil {
		return err
	}
	_, err = s.out.Write(raw)
	return err
}

// writeCLIModel puts the model of the settings API where clients find it whose
// AWS_DATA_PATH names dir.
func writeCLIModel(dir string) error {
	s := settings.Descriptor()
	raw, err := climodel.Write(s, settingsName())
	if err != nil {
		return err
	}
	paginators, err := climodel.WritePaginators(s)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		climodel.File(s, settingsName()): raw, climodel.PaginatorsFile(s, settingsName()): paginators,
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
