package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/atrium-iam/atrium/test/bench/loadgen"
)

// bencher runs the rows.
type bencher struct {
	settings
	dir  string
	stub *process
	// sizes holds the rates of the rows whose cost must not grow with the
	// directory, in the order they were measured.
	sizes []sized
}

// onPostgres measures the smallest directory on PostgreSQL, if there is one.
func (b *bencher) onPostgres(ctx context.Context) error {
	if b.postgres == "" {
		return nil
	}
	e, drop, err := newPostgres(ctx, b.postgres)
	if err != nil {
		return err
	}
	defer drop()
	return b.directory(ctx, slices.Min(b.users), e)
}

// sized is the rate of a row in a directory of some size.
type sized struct {
	row           string
	clients, size int
	rate          float64
}

// contender is a server and what it is asked.
type contender struct {
	process *process
	call    loadgen.Call
}

// identityStore is the directory of a running Atrium and its users.
type identityStore struct {
	node *process
	id   string

	mu    sync.Mutex
	users []user
}

type user struct{ id, name string }

// measurement is the median run of a row on one server.
type measurement struct {
	loadgen.Result
	perCore float64 // answers per second of the server's processor time
}

// measure puts load on the contenders in turn, several times, and returns the
// median by rate for each. Taking turns spreads the machine's moods evenly.
func (b *bencher) measure(ctx context.Context, clients int, contenders ...contender) ([]measurement, error) {
	all := make([][]measurement, len(contenders))
	for range b.runs {
		for i, c := range contenders {
			before := c.process.cpu()
			load := loadgen.Load{Clients: clients, Warmup: b.warmup, Duration: b.duration}
			result, err := loadgen.Run(ctx, c.process.server, c.call, load)
			if err != nil {
				return nil, err
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			m := measurement{Result: result}
			// The processor time includes the warm-up, whose rate is about the same.
			if used := c.process.cpu() - before; used > 0 {
				m.perCore = result.Rate() * (b.warmup + result.Elapsed).Seconds() / used.Seconds()
			}
			all[i] = append(all[i], m)
		}
	}
	medians := make([]measurement, len(contenders))
	for i, runs := range all {
		slices.SortFunc(runs, func(a, b measurement) int { return cmp.Compare(a.Rate(), b.Rate()) })
		medians[i] = runs[len(runs)/2]
	}
	return medians, nil
}

// compare measures call on a node and the stub's fixed answer, and prints
// both with the ratio. The stub's answer is short: beside a list it also gives
// one that is as long. compare returns the node's rate by number of clients.
func (b *bencher) compare(ctx context.Context, row string, node *process, call loadgen.Call) (map[int]float64, error) {
	rates := map[int]float64{}
	contenders := []contender{{b.stub, createUser("d-1234567890", stubName)}, {node, call}}
	if strings.Contains(row, "List") {
		contenders = append(contenders, contender{b.stub, call})
	}
	for _, clients := range b.clients {
		got, err := b.measure(ctx, clients, contenders...)
		if err != nil {
			return nil, err
		}
		rate := got[1].Rate()
		rates[clients] = rate
		printRow(row, clients, b.stub.name, got[0], "")
		share := ratio(rate, got[0].Rate()) + " of stub"
		if len(got) > 2 {
			printRow(row, clients, b.stub.name+", a list", got[2], "")
			share += ", " + ratio(rate, got[2].Rate()) + " of its list"
		}
		printRow(row, clients, node.name, got[1], share)
	}
	return rates, nil
}

func stubName(int64) string { return "stub" }

// stubAlone measures the ceiling.
func (b *bencher) stubAlone(ctx context.Context) error {
	printHead("the stub alone")
	for _, clients := range b.clients {
		got, err := b.measure(ctx, clients, contender{b.stub, createUser("d-1234567890", stubName)})
		if err != nil {
			return err
		}
		printRow("verify and answer", clients, b.stub.name, got[0], "")
	}
	return nil
}

// directory measures all rows on a new node whose directory holds size users,
// called with the credentials of a role.
func (b *bencher) directory(ctx context.Context, size int, e engine) error {
	dir := filepath.Join(b.dir, e.String()+strconv.Itoa(size))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	node, err := startAtrium(ctx, b.atrium, dir, e)
	if err != nil {
		return err
	}
	defer node.stop()
	token, credentials, err := administratorRole(ctx, node, dir)
	if err != nil {
		return err
	}
	node.server.Credentials = credentials
	// The stub is sent the same headers, though it does not look at this one.
	b.stub.server.Credentials.SessionToken = node.server.Credentials.SessionToken
	return b.rows(ctx, node, token, size, dir, e)
}

// rows measures all rows on a running node after filling its directory. token
// is an access token of the administrator.
func (b *bencher) rows(ctx context.Context, node *process, token string, size int, dir string, e engine) error {
	store := &identityStore{node: node}
	if err := store.find(ctx); err != nil {
		return err
	}
	// With the sample's people the directory has that size, so that its last
	// page is as full as the first.
	if err := store.seed(ctx, max(1, size-samplePeople)); err != nil {
		return err
	}
	last, err := store.lastPage(ctx)
	if err != nil {
		return err
	}
	printHead(fmt.Sprintf("%d users, %s", size, e))
	for _, row := range []struct {
		name string
		call loadgen.Call
	}{
		{"1 GetCallerIdentity", loadgen.Query("sts", func(int64) []byte { return []byte("Action=GetCallerIdentity&Version=2011-06-15") })},
		{"2 DescribeUser", store.describeUser()},
		{"2 GetUserId", store.getUserID()},
		{"2 ListUsers(100) first page", store.listUsers("")},
		{"2 ListUsers(100) last page", store.listUsers(last)},
		{"5 GetRoleCredentials", loadgen.Get(roleCredentialsPath, portalToken, token)},
	} {
		if !b.measures(row.name) {
			continue
		}
		rates, err := b.compare(ctx, row.name, node, row.call)
		if err != nil {
			return err
		}
		for _, clients := range b.clients {
			b.sizes = append(b.sizes, sized{row.name, clients, size, rates[clients]})
		}
	}
	if !b.measures("3 CreateUser") {
		return nil
	}
	return b.creates(ctx, store, dir, e)
}

// measures tells whether the row is to be measured.
func (b *bencher) measures(row string) bool { return b.settings.rows.MatchString(row) }

// creates measures CreateUser against the engine's own commits, which are
// measured on the same file system.
func (b *bencher) creates(ctx context.Context, store *identityStore, dir string, e engine) error {
	ceilings, err := e.ceilings(ctx, dir, b.duration)
	if err != nil {
		return fmt.Errorf("commit ceiling: %w", err)
	}
	for _, c := range ceilings {
		printCeiling("3", c)
	}
	var created atomic.Int64 // names are unique over all runs
	name := func(int64) string { return "new-" + strconv.FormatInt(created.Add(1), 10) }
	for _, clients := range b.clients {
		got, err := b.measure(ctx, clients, contender{b.stub, createUser(store.id, stubName)}, contender{store.node, createUser(store.id, name)})
		if err != nil {
			return err
		}
		rate := got[1].Rate()
		printRow("3 CreateUser", clients, b.stub.name, got[0], "")
		printRow("3 CreateUser", clients, store.node.name, got[1],
			ratio(rate, got[0].Rate())+" of stub, "+ratio(rate, ceilings[0].rate)+" and "+ratio(rate, ceilings[1].rate)+" of the engine")
	}
	return nil
}

// growth prints what the rows cost in larger directories, relative to the
// first one.
func (b *bencher) growth() {
	first := map[string]float64{}
	fmt.Printf("\n### Cost by size of the directory\n\n| Row | Clients | Users | Cost relative to the smallest |\n|---|---|---|---|\n")
	for _, s := range b.sizes {
		key := fmt.Sprint(s.row, s.clients)
		if _, ok := first[key]; !ok {
			first[key] = s.rate
			continue
		}
		fmt.Printf("| %s | %d | %d | %s |\n", s.row, s.clients, s.size, ratio(first[key], s.rate))
	}
}

// find asks for the instance's identity store.
func (s *identityStore) find(ctx context.Context) error {
	call := loadgen.JSON("sso", "SWBExternalService.ListInstances", func(int64) []byte { return []byte("{}") })
	return s.once(ctx, call, func(body []byte) error {
		var out struct {
			Instances []struct{ IdentityStoreId string }
		}
		if err := json.Unmarshal(body, &out); err != nil {
			return err
		}
		if len(out.Instances) != 1 {
			return fmt.Errorf("%d instances, want 1", len(out.Instances))
		}
		s.id = out.Instances[0].IdentityStoreId
		return nil
	})
}

// once makes one call and reads its answer.
func (s *identityStore) once(ctx context.Context, call loadgen.Call, read func([]byte) error) error {
	got, err := loadgen.Run(ctx, s.node.server, call.Checked(func(_ int64, body []byte) error { return read(body) }), loadgen.Load{Clients: 1, Count: 1})
	if err != nil {
		return err
	}
	return got.FirstError
}

// samplePeople is how many people the sample data has.
const samplePeople = 2

// seedClients create users side by side when a directory is filled.
const seedClients = 64

// seed fills the directory up with size users.
func (s *identityStore) seed(ctx context.Context, size int) error {
	begin := time.Now()
	call := createUser(s.id, seedName).Checked(func(n int64, body []byte) error {
		var out struct{ UserId string }
		if err := json.Unmarshal(body, &out); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.users = append(s.users, user{out.UserId, seedName(n)})
		return nil
	})
	got, err := loadgen.Run(ctx, s.node.server, call, loadgen.Load{Clients: seedClients, Count: int64(size)})
	if err != nil {
		return err
	}
	if got.Errors() > 0 || len(s.users) != size {
		return fmt.Errorf("%d of %d users were created: %w", len(s.users), size, got.FirstError)
	}
	fmt.Printf("created %d users in %s (%.0f/s, %d clients)\n", size, time.Since(begin).Round(time.Millisecond), got.Rate(), seedClients)
	return ctx.Err()
}

// any picks a user by the number of the call, spread over the directory.
func (s *identityStore) any(n int64) user {
	return s.users[uint64(n)*0x9E3779B97F4A7C15%uint64(len(s.users))]
}

func seedName(n int64) string { return "seed-" + strconv.FormatInt(n, 10) }

func createUser(store string, nameOf func(n int64) string) loadgen.Call {
	return loadgen.JSON("identitystore", "AWSIdentityStore.CreateUser", func(n int64) []byte {
		name := nameOf(n)
		return encode(map[string]any{
			"IdentityStoreId": store, "UserName": name, "DisplayName": "Display " + name,
			"Name":   map[string]string{"GivenName": "Given", "FamilyName": "Family"},
			"Emails": []map[string]any{{"Value": name + "@example.com", "Type": "work", "Primary": true}},
		})
	})
}

func (s *identityStore) describeUser() loadgen.Call {
	return loadgen.JSON("identitystore", "AWSIdentityStore.DescribeUser", func(n int64) []byte {
		return encode(map[string]string{"IdentityStoreId": s.id, "UserId": s.any(n).id})
	})
}

func (s *identityStore) getUserID() loadgen.Call {
	return loadgen.JSON("identitystore", "AWSIdentityStore.GetUserId", func(n int64) []byte {
		return encode(map[string]any{"IdentityStoreId": s.id, "AlternateIdentifier": map[string]any{
			"UniqueAttribute": map[string]string{"AttributePath": "userName", "AttributeValue": s.any(n).name},
		}})
	})
}

// listUsers lists the page of 100 at a token; an empty one is the first.
func (s *identityStore) listUsers(token string) loadgen.Call {
	in := map[string]any{"IdentityStoreId": s.id, "MaxResults": 100}
	if token != "" {
		in["NextToken"] = token
	}
	body := encode(in)
	return loadgen.JSON("identitystore", "AWSIdentityStore.ListUsers", func(int64) []byte { return body })
}

// lastPage walks all pages, counts the users, and returns the token of the
// last page (empty when there is one page only).
func (s *identityStore) lastPage(ctx context.Context) (string, error) {
	token, total, begin := "", 0, time.Now()
	for {
		var out struct {
			Users     []struct{ UserId string }
			NextToken string
		}
		err := s.once(ctx, s.listUsers(token), func(body []byte) error { return json.Unmarshal(body, &out) })
		if err != nil {
			return "", err
		}
		total += len(out.Users)
		if out.NextToken == "" {
			break
		}
		token = out.NextToken
	}
	if total < len(s.users) {
		return "", errors.New("the pages hold " + strconv.Itoa(total) + " users, want at least " + strconv.Itoa(len(s.users)))
	}
	fmt.Printf("walked %d users in %s, one connection per page\n", total, time.Since(begin).Round(time.Millisecond))
	return token, nil
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings and numbers always encode
	}
	return b
}
