// Package loadgen puts a signed, bounded load on an AWS-like server and
// measures how it bears it: a number of workers, each on one kept-alive
// connection, call one operation in a closed loop.
//
// The client is deliberately cheaper than an SDK: on a small machine it
// shares the cores with the server, and an expensive one would make every
// server look alike. It refuses to talk to anything but a loopback address.
package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Credentials sign the requests. SessionToken is for temporary keys.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Server is what is put under load.
type Server struct {
	Endpoint    string // e.g. "http://127.0.0.1:8484"; plain http on loopback only
	Region      string // of the credential scope
	Credentials Credentials
}

// Call is one operation, called again and again.
type Call struct {
	service, target, contentType string

	body  func(n int64) []byte
	check func(n int64, body []byte) error
	next  func(body []byte) (*Call, error)

	get     string // path and query of an unsigned GET; empty for a signed request
	headers []header

	method, path string // of a signed request; empty for POST /
}

// Object is a request of S3's API: method is GET or PUT, path needs no
// encoding, body is what a PUT sends.
func Object(method, path string, body []byte) Call {
	return Call{service: "s3", method: method, path: path, body: func(int64) []byte { return body }}
}

// Get is an unsigned GET of a path with its query, with one header of its own.
func Get(path, name, value string) Call {
	return Call{get: path, headers: []header{{name: name, value: value}}}
}

// JSON is a call of an awsJson1.1 operation. target is its X-Amz-Target,
// service its signing name; body returns the body of the n-th call, counted
// over all workers from 0, and must be safe for concurrent use.
func JSON(service, target string, body func(n int64) []byte) Call {
	return Call{service: service, target: target, contentType: "application/x-amz-json-1.1", body: body}
}

// Query is a call of an awsQuery operation.
func Query(service string, body func(n int64) []byte) Call {
	return Call{service: service, contentType: "application/x-www-form-urlencoded; charset=utf-8", body: body}
}

// Checked returns the call with check applied to each answer with status 200;
// an error counts as a failed request. check must be safe for concurrent use.
func (c Call) Checked(check func(n int64, body []byte) error) Call {
	c.check = check
	return c
}

// Then returns the call with others after it, which count as one with it: next
// gets each answer with status 200 and returns the signed call to make next,
// nil when the last was made; an error counts as a failed request. next must
// be safe for concurrent use.
func (c Call) Then(next func(body []byte) (*Call, error)) Call {
	c.next = next
	return c
}

// Load is how much load to put on. At least one of Duration and Count must be
// set; the first that is reached ends the run.
type Load struct {
	Clients  int           // workers, one connection each
	Warmup   time.Duration // before measuring; its calls are not counted in the result
	Duration time.Duration // measured time
	Count    int64         // calls, warm-up excluded
}

// requestTimeout bounds one call, connecting included.
const requestTimeout = 30 * time.Second

// Run puts load on the server and returns what was measured. An error means
// that no load could be put on at all; failed calls are part of the result.
func Run(ctx context.Context, server Server, call Call, load Load) (Result, error) {
	host, err := loopback(server.Endpoint)
	if err != nil {
		return Result{}, err
	}
	if load.Clients < 1 || load.Duration <= 0 && load.Count <= 0 {
		return Result{}, errors.New("loadgen: a load needs clients, and a duration or a count")
	}
	run := &run{host: host, server: server, call: call, load: load, begin: time.Now().Add(load.Warmup)}
	if load.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, run.begin.Add(load.Duration))
		defer cancel()
	}
	workers := make([]*worker, load.Clients)
	var group sync.WaitGroup
	for i := range workers {
		w := &worker{run: run, signer: signer{who: server.Credentials, region: server.Region, service: call.service}}
		workers[i] = w
		group.Go(func() { w.loop(ctx) })
	}
	group.Wait()
	return merge(workers, time.Since(run.begin)), nil
}

// run is what the workers of a run share.
type run struct {
	host   string
	server Server
	call   Call
	load   Load
	begin  time.Time // measuring starts here

	next    atomic.Int64 // number of the next call
	counted atomic.Int64 // measured calls started
}

// loopback returns host:port of an endpoint, which must be on this machine.
func loopback(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return "", fmt.Errorf("loadgen: %q is not of the form http://127.0.0.1:8484", endpoint)
	}
	name := u.Hostname()
	if ip, err := netip.ParseAddr(name); name != "localhost" && (err != nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("loadgen: %s is not a loopback address", name)
	}
	return u.Host, nil
}

func dial(ctx context.Context, host string) (net.Conn, error) {
	d := net.Dialer{Timeout: requestTimeout}
	return d.DialContext(ctx, "tcp", host)
}

// Result is what a run measured.
type Result struct {
	Calls   int64         // measured calls that were answered
	Elapsed time.Duration // from the end of the warm-up to the last answer
	// Statuses counts the answers by HTTP status, measured calls only.
	Statuses map[int]int64
	// Failed counts measured calls without an answer or with a wrong one.
	Failed int64
	// FirstError is the first failure or refusal seen, warm-up included.
	FirstError error

	latencies []time.Duration // ascending
}

// Rate is the number of answers with status 200 per second.
func (r Result) Rate() float64 {
	if r.Elapsed <= 0 {
		return 0
	}
	return float64(r.Statuses[200]) / r.Elapsed.Seconds()
}

// Percentile is the time within which p percent of the answers came (nearest
// rank). Zero without answers.
func (r Result) Percentile(p float64) time.Duration {
	n := len(r.latencies)
	if n == 0 {
		return 0
	}
	rank := int(p/100*float64(n)+0.999999) - 1
	return r.latencies[min(max(rank, 0), n-1)]
}

// Errors is the number of measured calls that did not succeed.
func (r Result) Errors() int64 { return r.Calls - r.Statuses[200] + r.Failed }

func merge(workers []*worker, elapsed time.Duration) Result {
	total := Result{Elapsed: elapsed, Statuses: map[int]int64{}}
	for _, w := range workers {
		total.Calls += int64(len(w.latencies))
		total.Failed += w.failed
		total.latencies = append(total.latencies, w.latencies...)
		for status, n := range w.statuses {
			total.Statuses[status] += n
		}
		if total.FirstError == nil {
			total.FirstError = w.firstError
		}
	}
	slices.Sort(total.latencies)
	return total
}
