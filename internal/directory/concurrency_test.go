package directory_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/atrium-iam/atrium/internal/directory"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/store"
	"github.com/atrium-iam/atrium/internal/store/storetest"
)

const clients = 64

// race runs fn in many clients at the same time.
func race(fn func(client int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for client := range clients {
		all.Go(func() {
			<-start
			fn(client)
		})
	}
	close(start)
	all.Wait()
}

// persist repeats fn as long as it is told to try again later.
func persist[R any](fn func() (R, error)) (R, error) {
	for {
		if r, err := fn(); !fault.Is(err, fault.Unavailable) {
			return r, err
		}
	}
}

func TestOneOfManyClientsGetsAName(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		var created atomic.Int64
		race(func(client int) {
			in := person([]string{"jane", "JANE", "Jane"}[client%3])
			in.ExternalIDs = []directory.ExternalID{{Issuer: "idp", ID: fmt.Sprint(client)}}
			_, err := persist(func() (directory.User, error) { return w.createUser(t, in) })
			if err == nil {
				created.Add(1)
				return
			}
			wantFailure(t, err, duplicate("Duplicate UserName"))
		})
		if created.Load() != 1 {
			t.Errorf("%d clients created the user", created.Load())
		}
	})
}

func TestConcurrentUpdatesLoseNothing(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		jane := w.mustUser(t, "jane")
		paths := []string{"title", "locale", "timezone", "nickName", "userType", "website", "name.middleName", "aws:identitystore:enterprise.department"}
		race(func(client int) {
			change := directory.Operation{Path: paths[client%len(paths)], Value: fmt.Sprint("by ", client%len(paths))}
			must(persist(func() (directory.User, error) { return w.updateUser(t, jane.ID, change) }))(t)
		})
		after := must(w.user(t, jane.ID))(t)
		if after.Version != 1+clients {
			t.Errorf("after %d updates the version is %d", clients, after.Version)
		}
		got := []string{after.Title, after.Locale, after.Timezone, after.NickName, after.UserType, after.Website, after.Name.MiddleName, after.Extensions.Enterprise.Department}
		for i, value := range got {
			if value != fmt.Sprint("by ", i) {
				t.Errorf("%s is %q: an update was lost", paths[i], value)
			}
		}
	})
}

func TestConcurrentClientsLeaveNothingHalfDone(t *testing.T) {
	storetest.RunConfig(t, store.Config{}, func(t *testing.T, db *store.Store) {
		w := newWorld(db)
		const users, groups = 8, 8
		var userIDs, groupIDs []string
		for i := range users {
			userIDs = append(userIDs, w.mustUser(t, fmt.Sprint("user-", i)).ID)
			groupIDs = append(groupIDs, w.mustGroup(t, fmt.Sprint("group-", i)).ID)
		}
		race(func(client int) {
			user := userIDs[client%users]
			for i := range groups {
				_, err := persist(func() (directory.Membership, error) {
					return w.createMembership(t, groupIDs[(client+i)%groups], user)
				})
				switch {
				case err == nil:
				case fault.Is(err, fault.Conflict): // another client was faster
					wantFailure(t, err, duplicate("Member and Group relationship already exists"))
				case user == userIDs[0]: // deleted meanwhile
					wantFailure(t, err, notFound("USER", user))
				default:
					t.Errorf("client %d: %v", client, err)
				}
			}
			if client == users { // a client of the first user
				must(persist(func() (directory.User, error) {
					return update(t, w, func(tx directory.Tx) (directory.User, error) {
						u, _, err := directory.DeleteUser(tx, testStore, userIDs[0])
						return u, err
					})
				}))(t)
			}
		})
		ids := must(view(t, w, func(tx directory.Tx) (all []string, err error) {
			for _, group := range groupIDs {
				members, err := directory.UsersOfGroup(tx, testStore, group)
				if err != nil {
					return nil, err
				}
				all = append(all, members...)
			}
			return all, nil
		}))(t)
		if slices.Contains(ids, userIDs[0]) {
			t.Error("a deleted user is in a group")
		}
		if want := (users - 1) * groups; len(ids) != want {
			t.Errorf("there are %d memberships, want %d", len(ids), want)
		}
	})
}
