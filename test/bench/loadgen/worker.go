package loadgen

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// worker calls in a loop on one connection.
type worker struct {
	run    *run
	signer signer

	conn     net.Conn
	reader   *bufio.Reader
	request  []byte // reused
	response []byte // reused
	headers  []header

	latencies  []time.Duration
	statuses   map[int]int64
	failed     int64
	firstError error
}

// pauseAfterFailure keeps a broken server from being flooded.
const pauseAfterFailure = 10 * time.Millisecond

func (w *worker) loop(ctx context.Context) {
	w.statuses = map[int]int64{}
	w.headers = headersOf(w.run.host, w.run.server.Credentials, w.run.call, 0)
	defer w.disconnect()
	for ctx.Err() == nil {
		measured := time.Now().After(w.run.begin)
		if measured && w.run.load.Count > 0 && w.run.counted.Add(1) > w.run.load.Count {
			return
		}
		n := w.run.next.Add(1) - 1
		status, took, err := w.call(ctx, n)
		if err == nil && status == http.StatusOK && w.run.call.check != nil {
			err = w.run.call.check(n, w.response)
		}
		if ctx.Err() != nil && (err != nil || w.run.load.Count == 0) {
			return // cut off at the end of the run, not a failure of the server
		}
		w.record(measured, status, took, err)
		if err != nil {
			time.Sleep(pauseAfterFailure)
		}
	}
}

func (w *worker) record(measured bool, status int, took time.Duration, err error) {
	if w.firstError == nil {
		switch {
		case err != nil:
			w.firstError = err
		case status != http.StatusOK:
			w.firstError = fmt.Errorf("status %d: %.500s", status, w.response)
		}
	}
	switch {
	case !measured:
	case err != nil:
		w.failed++
	default:
		w.latencies = append(w.latencies, took)
		w.statuses[status]++
	}
}

// call makes the n-th call, and those that follow it. The time it took is that
// from the first byte sent to the last received, so signing is not in it.
func (w *worker) call(ctx context.Context, n int64) (status int, took time.Duration, err error) {
	status, took, err = w.send(ctx, &w.run.call, w.headers, n)
	for err == nil && status == http.StatusOK && w.run.call.next != nil {
		following, err := w.run.call.next(w.response)
		if err != nil || following == nil {
			return status, took, err
		}
		headers := headersOf(w.run.host, w.run.server.Credentials, *following, 0)
		var more time.Duration
		if status, more, err = w.send(ctx, following, headers, n); err != nil {
			return status, took, err
		}
		took += more
	}
	return status, took, err
}

// send makes one request.
func (w *worker) send(ctx context.Context, call *Call, headers []header, n int64) (status int, took time.Duration, err error) {
	if w.conn == nil {
		if err := w.connect(ctx); err != nil {
			return 0, 0, err
		}
	}
	w.write(call, headers, n)
	start := time.Now()
	status, err = w.exchange(start.Add(requestTimeout))
	if err != nil {
		w.disconnect()
	}
	return status, time.Since(start), err
}

// write writes the n-th request.
func (w *worker) write(call *Call, headers []header, n int64) {
	if call.get != "" {
		w.request = appendGet(w.request[:0], w.run.host, call)
		return
	}
	body := call.body(n)
	for i := range headers {
		if headers[i].lower == "content-length" {
			headers[i].value = strconv.Itoa(len(body))
		}
	}
	w.request = w.signer.appendRequest(w.request[:0], call, headers, body, time.Now())
}

func (w *worker) exchange(deadline time.Time) (status int, err error) {
	if err := w.conn.SetDeadline(deadline); err != nil {
		return 0, err
	}
	if _, err := w.conn.Write(w.request); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(w.reader, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	w.response = w.response[:0]
	for {
		if len(w.response) == cap(w.response) {
			w.response = append(w.response, 0)[:len(w.response)]
		}
		n, err := response.Body.Read(w.response[len(w.response):cap(w.response)])
		w.response = w.response[:len(w.response)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	if response.Close {
		w.disconnect()
	}
	return response.StatusCode, nil
}

func (w *worker) connect(ctx context.Context) (err error) {
	if w.conn, err = dial(ctx, w.run.host); err != nil {
		w.conn = nil
		return err
	}
	if w.reader == nil {
		w.reader = bufio.NewReaderSize(w.conn, 64<<10)
	} else {
		w.reader.Reset(w.conn)
	}
	return nil
}

func (w *worker) disconnect() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}
