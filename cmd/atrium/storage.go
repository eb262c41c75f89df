package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/atrium-iam/atrium/internal/config"
	"github.com/atrium-iam/atrium/internal/dataplane/endpoint"
	"github.com/atrium-iam/atrium/internal/dataplane/objectstore"
	"github.com/atrium-iam/atrium/internal/dataplane/s3"
	"github.com/atrium-iam/atrium/internal/ident"
)

// storage opens the node's own storage, or that of the S3 server that the
// flags name. Close it when the node has stopped.
func (d devCommand) storage(ctx context.Context, log *slog.Logger) (opened s3.Connector, closeIt func(), err error) {
	if d.S3Endpoint == "" && d.S3Accounts == "" {
		return openStorage(ctx, filepath.Join(d.DataDir, "s3"), log)
	}
	remote, err := config.ReadS3(d.S3Endpoint, devRegion, d.S3Accounts, d.AllowInsecure)
	if problems, ok := errors.AsType[config.Problems](err); ok {
		return nil, nil, usageError{problems}
	}
	return remoteStorage(remote), func() {}, err
}

// sweepInterval is how often the node's own storage is swept.
const sweepInterval = 24 * time.Hour

// openStorage opens the storage in dir and sweeps it in the background.
func openStorage(ctx context.Context, dir string, log *slog.Logger) (opened s3.Connector, closeIt func(), err error) {
	store, err := objectstore.Open(ctx, dir, ident.NewSource(rand.Reader), time.Now)
	if err != nil {
		return nil, nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		for ctx.Err() == nil {
			if err := store.Sweep(ctx); err != nil && ctx.Err() == nil {
				log.Error("what a crash left in the object store is still there", "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(sweepInterval):
			}
		}
	})
	return store, func() {
		stop()
		sweeping.Wait()
		if err := store.Close(); err != nil {
			log.Error("closing the object store", "error", err)
		}
	}, nil
}

// remoteStorage is the S3 server of the configuration; nil for none.
func remoteStorage(cfg config.S3) s3.Connector {
	if cfg.Endpoint == nil {
		return nil
	}
	accounts := make(map[string]endpoint.Credentials, len(cfg.Accounts))
	for id, c := range cfg.Accounts {
		accounts[id] = endpoint.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal()}
	}
	return endpoint.New(endpoint.Options{
		URL: cfg.Endpoint, Region: cfg.Region, Accounts: accounts, Transport: endpoint.NewTransport(), Now: time.Now,
	})
}
