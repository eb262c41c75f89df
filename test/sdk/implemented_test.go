package sdk

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/atrium-iam/atrium/internal/wire/wiretest"
	"github.com/atrium-iam/atrium/test/node"
)

const notImplementedFile = "../../model/not-implemented.txt"

// notImplemented are the operations that the file lists.
func notImplemented(t *testing.T) map[string]string { return listed(t, notImplementedFile) }

// TestNotImplemented holds that the program serves what the file does not list,
// and clearly refuses what it does.
func TestNotImplemented(t *testing.T) {
	missing := notImplemented(t)
	node.Run(t, func(t *testing.T, n *node.Node) {
		admin := n.Administrator(t, node.Management)
		served := 0
		for _, o := range operations() {
			got := n.Send(t, admin, node.NewCall(o.service, o.Operation, o.onInstance(t, n)))
			_, isListed := missing[o.String()]
			refused := got.Code == "UnsupportedOperationException"
			switch {
			case refused && !isListed:
				t.Errorf("%s is not implemented: implement it, or list it in model/not-implemented.txt", o)
			case !refused && isListed:
				t.Errorf("%s answers %d %s: take it out of model/not-implemented.txt", o, got.Status, got.Code)
			case refused && (got.Status != http.StatusBadRequest || got.Message == ""):
				t.Errorf("%s: %d %q", o, got.Status, got.Message)
			case !refused:
				served++
			}
		}
		t.Logf("%d of %d operations served", served, len(operations()))
	})
}

// TestSDKOperations holds that we know every operation that the official SDKs
// have, or list it as not implemented, and that we invent none.
func TestSDKOperations(t *testing.T) {
	var c node.Caller
	missing := notImplemented(t)
	inSDK := map[string]bool{}
	for _, s := range wiretest.AWSServices() {
		var ours []string
		for _, o := range s.Operations {
			ours = append(ours, o.Name)
		}
		slices.Sort(ours)
		theirs := clientOperations(reflect.TypeOf(c.Client(s.ID)))
		for _, name := range theirs {
			inSDK[s.ID+" "+name] = true
			if _, isListed := missing[s.ID+" "+name]; !isListed && !slices.Contains(ours, name) {
				t.Errorf("%s: the SDK has %s, our model has not: list it in model/not-implemented.txt", s.ID, name)
			}
		}
		for _, name := range ours {
			if !slices.Contains(theirs, name) {
				t.Errorf("%s: our model has %s, the SDK has not", s.ID, name)
			}
		}
	}
	for line := range missing {
		if !inSDK[line] {
			t.Errorf("model/not-implemented.txt lists %q, which no SDK has", line)
		}
	}
}

// clientOperations lists the operations of an SDK's client by reflection: the
// methods that take a context, a pointer to an input of their own and options.
func clientOperations(client reflect.Type) (names []string) {
	for i := range client.NumMethod() {
		m := client.Method(i)
		if m.Type.NumIn() == 4 && m.Type.In(1) == reflect.TypeFor[context.Context]() &&
			m.Type.In(2).Kind() == reflect.Pointer && strings.HasSuffix(m.Type.In(2).Elem().Name(), "Input") {
			names = append(names, m.Name)
		}
	}
	return names
}
