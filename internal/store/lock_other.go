//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package store

import (
	"errors"
	"fmt"
)

// fileLock does not exist on this system: only PostgreSQL can be used.
type fileLock struct{}

func lockFile(path string) (*fileLock, error) {
	return nil, fmt.Errorf("locking %s: %w: use PostgreSQL on this system", path, errors.ErrUnsupported)
}

func (l *fileLock) unlock() error { return nil }
