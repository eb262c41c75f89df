package audit

import (
	"encoding/json"
	"sync"
	"time"
)

const (
	// noiseWindow is how long alike records are counted before one is written.
	noiseWindow = 10 * time.Second
	// noiseKinds is how many different ones are told apart in a window; the
	// rest are counted together.
	noiseKinds = 1024
)

// noise counts records that are alike. Its zero value is ready to use.
type noise struct {
	mu    sync.Mutex
	since time.Time
	seen  map[noiseKey]*counted
}

type noiseKey struct{ address, source, name, code string }

type counted struct {
	first Record
	count int64
	last  time.Time
}

// others is the key of what exceeds noiseKinds.
func others() noiseKey { return noiseKey{address: "various", source: Source, name: "Various"} }

func (n *noise) add(r Record, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen == nil {
		n.seen, n.since = map[noiseKey]*counted{}, now
	}
	key := noiseKey{r.SourceIPAddress, r.EventSource, r.EventName, r.ErrorCode}
	if n.seen[key] == nil && len(n.seen) >= noiseKinds {
		key = others()
	}
	c := n.seen[key]
	if c == nil {
		c = &counted{first: r}
		if key == others() {
			c.first = Record{
				UserIdentity: UserIdentity{Type: "Unknown"}, EventTime: r.EventTime,
				SourceIPAddress: key.address, EventSource: key.source, EventName: key.name,
				ErrorCode: "Various", ReadOnly: true,
			}
		}
		n.seen[key] = c
	}
	c.count++
	c.last = r.EventTime
}

// take returns a record for each kind when the window is over, or at once
// when all is set, and begins a new window.
func (n *noise) take(now time.Time, all bool) []Record {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen == nil || (!all && now.Sub(n.since) < noiseWindow) {
		return nil
	}
	out := make([]Record, 0, len(n.seen))
	for _, c := range n.seen {
		if c.count > 1 {
			// Marshalling a number and two strings cannot fail.
			c.first.AdditionalEventData, _ = json.Marshal(map[string]any{
				"count": c.count, "firstTime": c.first.EventTime.UTC().Format(time.RFC3339), "lastTime": c.last.UTC().Format(time.RFC3339),
			})
		}
		out = append(out, c.first)
	}
	n.seen = nil
	return out
}
