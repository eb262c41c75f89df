package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Sign signs r over body with a long-term access key, in headers. It sets
// X-Amz-Date and Authorization; the signature covers these and every other
// X-Amz- header, the content type and the host, which must not change after.
// region and service are those of the scope. It fails when r has a target that
// cannot be signed.
func Sign(r *http.Request, body []byte, accessKeyID, secret, region, service string, at time.Time) error {
	sum := sha256.Sum256(body)
	return SignHash(r, hex.EncodeToString(sum[:]), accessKeyID, secret, region, service, at)
}

// SignHash is Sign for a body of which only the hash is known, in hex, or what
// stands in its place, such as UnsignedPayload.
func SignHash(r *http.Request, payloadHash, accessKeyID, secret, region, service string, at time.Time) error {
	date := stamp(at)
	r.Header.Set("X-Amz-Date", date)
	signed := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-amz-") {
			signed = append(signed, name)
		}
	}
	slices.Sort(signed)
	scope := Scope{Date: date[:len("20060102")], Region: region, Service: service}
	authorize := func(signature string) {
		r.Header.Set("Authorization", algorithm+" Credential="+
			strings.Join([]string{accessKeyID, scope.Date, scope.Region, scope.Service, terminator}, "/")+
			", SignedHeaders="+strings.Join(signed, ";")+", Signature="+signature)
	}
	// The claim that the request makes is read back, so that what is signed is
	// what a server reads.
	authorize("0")
	claim, err := Parse(r)
	if err != nil {
		return err
	}
	signature := claim.sign(deriveKey(secret, scope), payloadHash)
	authorize(string(signature[:]))
	return nil
}
