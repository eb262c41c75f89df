package main

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/dataplane/objectstore"
	"github.com/atrium-iam/atrium/internal/ident"
)

// storage is the S3 that a node brings.
type storage struct {
	*objectstore.Store
	stop     context.CancelFunc
	sweeping sync.WaitGroup
}

// openStorage opens the storage in dir and sweeps it in the background.
func openStorage(ctx context.Context, dir string, log *slog.Logger) (*storage, error) {
	opened, err := objectstore.Open(ctx, dir, ident.NewSource(rand.Reader), time.Now)
	if err != nil {
		return nil, err
	}
	s := &storage{Store: opened}
	ctx, s.stop = context.WithCancel(ctx)
	s.sweeping.Go(func() {
		if err := opened.Sweep(ctx); err != nil && ctx.Err() == nil {
			log.Error("what a crash left in the object store is still there", "error", err)
		}
	})
	return s, nil
}

// Close closes the storage.
func (s *storage) Close() error {
	s.stop()
	s.sweeping.Wait()
	return s.Store.Close()
}
