package audit

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Pending is a committed record that is in no batch yet.
type Pending struct {
	EventID string
	Time    time.Time
	Body    []byte // the record's JSON
}

// Kind tells what a batch holds.
type Kind string

// The kinds of batch.
const (
	// Records holds records, a line of JSON each.
	Records Kind = "records"
	// Removal holds one line of JSON, which says what retention removed.
	Removal Kind = "removal"
)

// Batch is a run of records that were sealed together. Its hash covers its
// content and the hash of the batch before it; its signature covers its hash.
type Batch struct {
	// Number counts batches from 1, without gaps.
	Number int64
	Kind   Kind
	// FirstSequence and LastSequence are the numbers of its records, which
	// count from 1 over the whole trail. Without records, LastSequence is
	// FirstSequence-1.
	FirstSequence, LastSequence int64
	// FirstTime and LastTime bound the event times of its records.
	FirstTime, LastTime time.Time
	Sealed              time.Time
	// Content is gzip of the lines, in order.
	Content []byte
	// PreviousHash and Hash are lower-case hexadecimal SHA-256; the first
	// batch has no PreviousHash.
	PreviousHash, Hash string
	// Signature is a Signer's, over Hash.
	Signature []byte
}

// Signer signs the hashes of batches and checks signatures. Those made before
// its keys were rotated stay good.
type Signer interface {
	Sign(data []byte) (signature []byte, err error)
	Verify(data, signature []byte) error
}

// computeHash returns what Hash must be. All that is hashed has a fixed form
// without line breaks, so that no two batches give the same text.
func (b *Batch) computeHash() string {
	content := sha256.Sum256(b.Content)
	text := fmt.Sprintf("atrium audit batch v1\n%d\n%s\n%d\n%d\n%d\n%d\n%d\n%x\n%s\n", b.Number, b.Kind,
		b.FirstSequence, b.LastSequence, b.FirstTime.UnixMilli(), b.LastTime.UnixMilli(), b.Sealed.UnixMilli(),
		content, b.PreviousHash)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// follow makes b the successor of last (nil for none): its number, sequence,
// hash and signature. count is the number of its records.
func (b *Batch) follow(last *Batch, count int, signer Signer) (err error) {
	b.Number, b.FirstSequence, b.PreviousHash = 1, 1, ""
	if last != nil {
		b.Number, b.FirstSequence, b.PreviousHash = last.Number+1, last.LastSequence+1, last.Hash
	}
	b.LastSequence = b.FirstSequence + int64(count) - 1
	b.Hash = b.computeHash()
	if b.Signature, err = signer.Sign([]byte(b.Hash)); err != nil {
		return fmt.Errorf("sign an audit batch: %w", err)
	}
	return nil
}

// pack returns the batch of records, ordered by time, without its place in
// the chain.
func (c *compressor) pack(records []Pending, now time.Time) (*Batch, error) {
	slices.SortStableFunc(records, func(a, b Pending) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return strings.Compare(a.EventID, b.EventID)
	})
	lines := make([][]byte, len(records))
	for i, r := range records {
		lines[i] = r.Body
	}
	content, err := c.compress(lines)
	if err != nil {
		return nil, err
	}
	return &Batch{
		Kind: Records, Content: content, Sealed: millis(now),
		FirstTime: millis(records[0].Time), LastTime: millis(records[len(records)-1].Time),
	}, nil
}

func millis(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// compressor compresses the contents of batches, one after the other. It keeps
// what gzip needs for that, more than a megabyte. The zero value is ready.
type compressor struct{ gzip *gzip.Writer }

func (c *compressor) compress(lines [][]byte) (content []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("compress an audit batch: %w", err)
		}
	}()
	var out bytes.Buffer
	if c.gzip == nil {
		if c.gzip, err = gzip.NewWriterLevel(&out, gzip.BestSpeed); err != nil {
			return nil, err
		}
	}
	c.gzip.Reset(&out)
	for _, line := range lines {
		if _, err := c.gzip.Write(line); err != nil {
			return nil, err
		}
		if _, err := c.gzip.Write([]byte{'\n'}); err != nil {
			return nil, err
		}
	}
	err = c.gzip.Close()
	return out.Bytes(), err
}

// maxContent bounds what a batch may expand to: far more than any that was
// written here.
const maxContent = 256 << 20

// lines returns the lines of b's content.
func (b *Batch) lines() ([][]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b.Content))
	if err != nil {
		return nil, fmt.Errorf("read audit batch %d: %w", b.Number, err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxContent))
	if err != nil {
		return nil, fmt.Errorf("read audit batch %d: %w", b.Number, err)
	}
	if len(text) == 0 {
		return nil, nil
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")), nil
}

// Entry is a record of the trail as it is handed out.
type Entry struct {
	// Sequence counts from 1 without gaps, in the order of sealing, which is
	// nearly that of time.
	Sequence int64
	// JSON is the record, with Atrium's part: the schema version and the
	// sequence.
	JSON json.RawMessage
}

// entries returns the records of b after the sequence number after.
func (b *Batch) entries(after int64) ([]Entry, error) {
	if b.Kind != Records {
		return nil, nil
	}
	lines, err := b.lines()
	if err != nil {
		return nil, err
	}
	var out []Entry
	for i, line := range lines {
		sequence := b.FirstSequence + int64(i)
		if sequence <= after || len(line) < 2 {
			continue
		}
		text := fmt.Appendf(line[:len(line)-1:len(line)-1], `,"atrium":{"schemaVersion":%d,"sequence":%d}}`, SchemaVersion, sequence)
		out = append(out, Entry{Sequence: sequence, JSON: text})
	}
	return out, nil
}
