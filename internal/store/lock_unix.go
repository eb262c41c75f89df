//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// fileLock keeps a second process from opening the same data. The system drops
// it when the process ends, however it ends.
type fileLock struct{ file *os.File }

// lockFile takes the lock at path, creating the file when there is none. The
// file stays when the lock is given up.
func lockFile(path string) (*fileLock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return &fileLock{file}, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("another process uses this database (it holds %s): stop it first", path)
	}
	return nil, fmt.Errorf("locking %s: %w", path, err)
}

func (l *fileLock) unlock() error { return l.file.Close() }
