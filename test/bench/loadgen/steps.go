package loadgen

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Steps puts load on a server that is not one operation but several, one after
// the other: each worker repeats step, which counts as one call, answered when
// it returns nil. client is a worker's own, with one kept-alive connection.
func Steps(ctx context.Context, load Load, step func(ctx context.Context, worker int, client *http.Client) error) Result {
	r := &run{load: load, begin: time.Now().Add(load.Warmup)}
	ctx, cancel := context.WithDeadline(ctx, r.begin.Add(load.Duration))
	defer cancel()
	workers := make([]*worker, load.Clients)
	var group sync.WaitGroup
	for i := range workers {
		w := &worker{run: r, statuses: map[int]int64{}}
		workers[i] = w
		group.Go(func() { w.steps(ctx, i, step) })
	}
	group.Wait()
	return merge(workers, time.Since(r.begin))
}

func (w *worker) steps(ctx context.Context, number int, step func(context.Context, int, *http.Client) error) {
	transport := &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{
		Transport: transport, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for ctx.Err() == nil {
		start := time.Now()
		err := step(ctx, number, client)
		if ctx.Err() != nil {
			return // cut off at the end of the run
		}
		w.record(start.After(w.run.begin), http.StatusOK, time.Since(start), err)
		if err != nil {
			time.Sleep(pauseAfterFailure)
		}
	}
}
