package sigv4

import (
	"net/http"
	"testing"
)

// FuzzParse looks for input that panics, and for signatures that are accepted
// without the secret.
func FuzzParse(f *testing.F) {
	f.Add("/", goodAuth, "20150830T123600Z", "", "host")
	f.Add("/?"+goodQuery+"00", "", "", "token", "host")
	f.Add("/?a=%zz&&=&+&%2F=%2f", goodAuth, "20150830T123600Z", "t", "")
	f.Add("/%E1%88%B4//../", "AWS4-HMAC-SHA256 Credential=////,SignedHeaders=;,Signature=", "x", "", "\xff")
	f.Add("", "AWS4-HMAC-SHA256 =,=,", "00000000T000000Z", "", "")
	f.Add("*", "AWS4-ECDSA-P256-SHA256", "", "", "")
	v := NewVerifier(1)
	f.Fuzz(func(t *testing.T, target, authorization, date, token, host string) {
		r := &http.Request{Method: "GET", RequestURI: target, Host: host, Header: http.Header{}}
		for name, value := range map[string]string{"Authorization": authorization, "X-Amz-Date": date, "X-Amz-Security-Token": token} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		c, err := Parse(r)
		if err != nil {
			if err.Error() == "" || c != nil {
				t.Fatalf("claim %v, error %+v", c, *err)
			}
			return
		}
		if _, err := v.Verify(c, "a secret that nobody signed with", nil, Options{Now: c.Time}); err == nil {
			t.Fatalf("accepted %+v", *c)
		}
		if again, err := Parse(r); err != nil || again.signature != c.signature {
			t.Fatalf("parsed otherwise the second time: %v", err)
		}
	})
}

// FuzzCanonicalComponent holds that canonical encoding is a fixed point.
func FuzzCanonicalComponent(f *testing.F) {
	for _, s := range odd {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, ok := canonicalComponent(s)
		if !ok {
			return
		}
		if twice, ok := canonicalComponent(once); !ok || twice != once {
			t.Fatalf("%q becomes %q, then %q", s, once, twice)
		}
	})
}
