package main

import (
	"os"
	"path/filepath"

	"github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/climodel"
)

type cliModelCommand struct{}

// settingsName is how clients call the settings API: aws atrium ….
func settingsName() climodel.Name {
	return climodel.Name{Command: "atrium", Title: "Atrium settings", ID: "Atrium"}
}

// Run prints the model of the settings API.
func (cliModelCommand) Run(s streams) error {
	raw, err := climodel.Write(settings.Descriptor(), settingsName())
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
	file := filepath.Join(dir, filepath.FromSlash(climodel.File(s, settingsName())))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, raw, 0o600)
}
