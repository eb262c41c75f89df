package sigv4

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

func readRequest(raw string) (*http.Request, error) {
	return http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
}

// message is a request as a client means it, and how it signs it.
type message struct {
	method, path, query string
	host                string
	header              http.Header
	body                []byte
	token               string
	scope               Scope // Date is taken from at
	at                  time.Time
	presign             bool
	expires             int // seconds; 0: not given
}

// odd are strings that canonicalisation easily gets wrong.
var odd = []string{"", "a", "a b", " a", "a+b", "a/b", "a%2Fb", "%", "a=b", "a&b", "ü", "日本", "~", "a:b", "(a)", "a'b", "*", "a;b", "\"", "?", "#", "..", ".", "//", "-", "a@b,c"}

func text() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom(odd), rapid.StringMatching(`[ -~é漢]{0,12}`))
}

func messages() *rapid.Generator[message] {
	return rapid.Custom(func(t *rapid.T) message {
		m := message{
			host:    rapid.SampledFrom([]string{"localhost:8484", "127.0.0.1:8484", "sso.us-east-1.amazonaws.com", "[::1]:8484"}).Draw(t, "host"),
			method:  rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE", "HEAD"}).Draw(t, "method"),
			path:    "/" + strings.Join(rapid.SliceOfN(text(), 0, 4).Draw(t, "segments"), "/"),
			header:  http.Header{},
			scope:   Scope{Region: "eu-central-1", Service: rapid.SampledFrom([]string{"sso", "identitystore", "sts", "iam", "s3"}).Draw(t, "service")},
			at:      time.Unix(rapid.Int64Range(1e9, 4e9).Draw(t, "at"), 0).UTC(),
			presign: rapid.Bool().Draw(t, "presign"),
		}
		query := url.Values{}
		for range rapid.IntRange(0, 5).Draw(t, "parameters") {
			query.Add("q"+text().Draw(t, "key"), text().Draw(t, "value"))
		}
		m.query = query.Encode()
		if m.method != "GET" && m.method != "HEAD" {
			m.body = []byte(text().Draw(t, "body"))
		}
		for range rapid.IntRange(0, 4).Draw(t, "headers") {
			name := rapid.SampledFrom([]string{"Content-Type", "X-Amz-Target", "X-Amz-Meta-Note", "X-Custom", "Accept", "Amz-Sdk-Request", "X-Amz-Sso_bearer_token"}).Draw(t, "name")
			m.header.Add(name, rapid.StringMatching(`[!-~]([ -~]{0,12}[!-~])?`).Draw(t, "header"))
		}
		if rapid.Bool().Draw(t, "temporary") {
			m.token = rapid.StringMatching(`[A-Za-z0-9+/=]{20,60}`).Draw(t, "token")
		}
		if m.presign {
			m.expires = rapid.IntRange(0, 604800).Draw(t, "expires")
		}
		return m
	})
}

// signed returns the message as the SDK signs and net/http sends it.
func (m message) signed() ([]byte, error) {
	u, err := url.Parse("http://" + m.host)
	if err != nil {
		return nil, err
	}
	u.Path, u.RawQuery = m.path, m.query
	r, err := http.NewRequest(m.method, u.String(), bytes.NewReader(m.body))
	if err != nil {
		return nil, err
	}
	r.URL, r.Header = u, m.header.Clone()
	sum := sha256.Sum256(m.body)
	hash := hex.EncodeToString(sum[:])
	who := aws.Credentials{AccessKeyID: exampleKeyID, SecretAccessKey: exampleSecret, SessionToken: m.token}
	plain := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = m.scope.Service == "s3" }
	if !m.presign {
		if m.scope.Service == "s3" {
			r.Header.Set("X-Amz-Content-Sha256", hash)
		}
		err = v4.NewSigner().SignHTTP(context.Background(), who, r, hash, m.scope.Service, m.scope.Region, m.at, plain)
	} else {
		if m.expires > 0 {
			r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&X-Amz-Expires="+strconv.Itoa(m.expires), "&")
		}
		var signed string
		var header http.Header
		signed, header, err = v4.NewSigner().PresignHTTP(context.Background(), who, r, hash, m.scope.Service, m.scope.Region, m.at, plain)
		if err != nil {
			return nil, err
		}
		// What is signed in the query must not be sent as a header as well.
		header.Del("Host")
		header.Del("Content-Length")
		r.Header = header
		r.URL, err = url.Parse(signed)
	}
	if err != nil {
		return nil, err
	}
	var wire bytes.Buffer
	err = r.Write(&wire)
	return wire.Bytes(), err
}

// verify treats wire as a server does; body is read whole first.
func verify(v *Verifier, wire []byte, opts Options) (*Claim, *Error, error) {
	r, err := readRequest(string(wire))
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, nil, err
	}
	c, refused := Parse(r)
	if refused != nil {
		return nil, refused, nil
	}
	_, refused = v.Verify(c, exampleSecret, body, opts)
	return c, refused, nil
}

func (m message) options() Options {
	return Options{Now: m.at, Skew: 5 * time.Minute, Region: m.scope.Region, Service: m.scope.Service}
}

func TestAcceptsWhatTheSDKSigns(t *testing.T) {
	v := NewVerifier(2)
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "message")
		wire, err := m.signed()
		if err != nil {
			t.Skip(err)
		}
		c, refused, err := verify(v, wire, m.options())
		if err != nil {
			t.Skip(err) // net/http does not let such a request through
		}
		if refused != nil {
			t.Fatalf("refused: %+v\n%s", *refused, wire)
		}
		if c.AccessKeyID != exampleKeyID || c.SessionToken != m.token || !c.Time.Equal(m.at) ||
			c.Presigned != m.presign || c.Expires != time.Duration(m.expires)*time.Second ||
			c.Scope != (Scope{Date: m.at.Format("20060102"), Region: m.scope.Region, Service: m.scope.Service}) {
			t.Fatalf("claim %+v of message %+v", *c, m)
		}
	})
}

// mutations change one thing that a signature covers. Each returns false when
// the message has no such thing.
var mutations = map[string]func(t *rapid.T, r *http.Request, body *[]byte) bool{
	"method": func(_ *rapid.T, r *http.Request, _ *[]byte) bool {
		r.Method = map[string]string{"GET": "POST"}[r.Method] + "X"
		return true
	},
	"path": func(t *rapid.T, r *http.Request, _ *[]byte) bool {
		path, query, _ := strings.Cut(r.RequestURI, "?")
		r.RequestURI = rapid.SampledFrom([]string{path + "a", path + "/", "/x/.." + path, "/" + path, "/%61" + path[1:]}).Draw(t, "path") + "?" + query
		return true
	},
	"new parameter": func(t *rapid.T, r *http.Request, _ *[]byte) bool {
		sep := "?"
		if strings.Contains(r.RequestURI, "?") {
			sep = "&"
		}
		r.RequestURI += sep + rapid.SampledFrom([]string{"zz", "zz=1", "=", "X-Amz-Date2=1"}).Draw(t, "parameter")
		return true
	},
	"parameter": func(t *rapid.T, r *http.Request, _ *[]byte) bool {
		path, query, ok := strings.Cut(r.RequestURI, "?")
		parts := strings.Split(query, "&")
		i := rapid.IntRange(0, len(parts)-1).Draw(t, "which")
		if !ok || query == "" || !strings.HasPrefix(parts[i], "q") {
			return false
		}
		parts[i] = rapid.SampledFrom([]string{parts[i] + "%20", parts[i] + "%00", "q" + parts[i], "zz=1"}).Draw(t, "part")
		r.RequestURI = path + "?" + strings.Join(parts, "&")
		return true
	},
	"host": func(_ *rapid.T, r *http.Request, _ *[]byte) bool {
		r.Host += "1"
		return true
	},
	"header": func(t *rapid.T, r *http.Request, _ *[]byte) bool {
		c, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		names := slices.Sorted(maps.Keys(r.Header))
		names = slices.DeleteFunc(names, func(name string) bool { return !c.signs(name) })
		if len(names) == 0 {
			return false
		}
		name := rapid.SampledFrom(names).Draw(t, "which")
		switch rapid.SampledFrom([]string{"change", "add", "remove"}).Draw(t, "how") {
		case "change":
			r.Header[name][0] += "x"
		case "add":
			r.Header.Add(name, "x")
		case "remove":
			r.Header.Del(name)
			if name == "Content-Length" {
				r.ContentLength++
			}
		}
		return true
	},
	"unsigned x-amz header": func(_ *rapid.T, r *http.Request, _ *[]byte) bool {
		r.Header.Set("X-Amz-Extra", "1")
		return true
	},
	"body": func(_ *rapid.T, r *http.Request, body *[]byte) bool {
		*body = append(*body, 'x')
		return true
	},
	"authorization": func(t *rapid.T, r *http.Request, _ *[]byte) bool {
		value := r.Header.Get("Authorization")
		if value == "" {
			return false
		}
		i := rapid.IntRange(0, len(value)-1).Draw(t, "at")
		changed := value[:i] + string(rapid.SampledFrom([]byte("0aZ;/=!")).Draw(t, "byte")) + value[i+1:]
		r.Header.Set("Authorization", changed)
		// The separators' blanks and the access key id (which names the
		// secret) are not under the signature.
		start := strings.Index(value, "=") + 1
		return changed != value && value[i] != ' ' && !(i >= start && i < start+len(exampleKeyID))
	},
	"query signature": func(t *rapid.T, r *http.Request, _ *[]byte) bool {
		before, signature, ok := strings.Cut(r.RequestURI, "X-Amz-Signature=")
		if !ok {
			return false
		}
		i := rapid.IntRange(0, len(signature)-1).Draw(t, "at")
		r.RequestURI = before + "X-Amz-Signature=" + signature[:i] + "g" + signature[i+1:]
		return true
	},
	"query field": func(t *rapid.T, r *http.Request, _ *[]byte) bool {
		name := rapid.SampledFrom([]string{"Algorithm", "Credential", "Date", "SignedHeaders", "Expires", "Security-Token"}).Draw(t, "field") + "="
		before, after, ok := strings.Cut(r.RequestURI, "X-Amz-"+name)
		if !ok || name == "Credential=" {
			r.RequestURI = strings.Replace(r.RequestURI, "eu-central-1", "eu-central-2", 1)
			return ok
		}
		r.RequestURI = before + "X-Amz-" + name + "1" + after
		return true
	},
}

func TestRefusesWhatWasChanged(t *testing.T) {
	v := NewVerifier(2)
	for name, mutate := range mutations {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			tried := 0
			rapid.Check(t, func(t *rapid.T) {
				m := messages().Draw(t, "message")
				wire, err := m.signed()
				if err != nil {
					t.Skip(err)
				}
				r, err := readRequest(string(wire))
				if err != nil {
					t.Skip(err)
				}
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Fatal(err)
				}
				if !mutate(t, r, &body) {
					t.Skip("nothing to change")
				}
				tried++
				c, refused := Parse(r)
				if refused == nil {
					_, refused = v.Verify(c, exampleSecret, body, m.options())
				}
				if refused == nil {
					t.Fatalf("accepted %s %s\n%v\nsigned as\n%s", r.Method, r.RequestURI, r.Header, wire)
				}
			})
			if tried == 0 {
				t.Fatal("the mutation was never tried")
			}
		})
	}
}
