package store_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

func benchmark(b *testing.B, run func(b *testing.B, s *store.Store)) {
	b.Run("SQLite", func(b *testing.B) { run(b, storetest.Open(b, store.Config{})) })
	b.Run("PostgreSQL", func(b *testing.B) {
		run(b, storetest.Open(b, store.Config{PostgresDSN: storetest.Postgres(b)}))
	})
}

// BenchmarkCommit measures durable transactions of one row, of one client and
// of many.
func BenchmarkCommit(b *testing.B) {
	benchmark(b, func(b *testing.B, s *store.Store) {
		var next atomic.Int64
		insert := func(b *testing.B) {
			name := fmt.Sprint(next.Add(1))
			err := s.Update(b.Context(), func(tx *store.Tx) error { return tx.SetMeta(name, "value") })
			if err != nil {
				b.Error(err)
			}
		}
		for _, clients := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
				b.ReportAllocs()
				inClients(b, clients, func() { insert(b) })
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
			})
		}
	})
}

// BenchmarkRead measures transactions that read one row by its key.
func BenchmarkRead(b *testing.B) {
	benchmark(b, func(b *testing.B, s *store.Store) {
		err := s.Update(b.Context(), func(tx *store.Tx) error { return tx.SetMeta("name", "value") })
		if err != nil {
			b.Fatal(err)
		}
		for _, clients := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
				b.ReportAllocs()
				inClients(b, clients, func() {
					err := s.View(b.Context(), func(tx *store.Tx) error {
						_, _, err := tx.Meta("name")
						return err
					})
					if err != nil {
						b.Error(err)
					}
				})
			})
		}
	})
}

// inClients runs fn b.N times, spread over concurrent clients.
func inClients(b *testing.B, clients int, fn func()) {
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan struct{})
	for range clients {
		go func() {
			for left.Add(-1) >= 0 {
				fn()
			}
			done <- struct{}{}
		}()
	}
	for range clients {
		<-done
	}
}
