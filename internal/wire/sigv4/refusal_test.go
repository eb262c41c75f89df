package sigv4

import "testing"

func TestRefusal(t *testing.T) {
	const (
		mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
		invalid  = "The security token included in the request is invalid."
		expired  = "The security token included in the request is expired"
	)
	type want struct {
		code    string
		status  int
		message string
	}
	for _, tc := range []struct {
		err               Error
		json, rest, query want
	}{
		{
			Error{Kind: MissingAuthentication},
			want{"MissingAuthenticationTokenException", 400, "Missing Authentication Token"},
			want{"MissingAuthenticationTokenException", 403, "Missing Authentication Token"},
			want{"MissingAuthenticationToken", 403, "Request is missing Authentication Token"},
		},
		{
			Error{Kind: IncompleteSignature, Detail: "why"},
			want{"IncompleteSignatureException", 400, "why"},
			want{"IncompleteSignatureException", 400, "why"},
			want{"IncompleteSignature", 400, "why"},
		},
		{
			Error{Kind: SignatureMismatch},
			want{"InvalidSignatureException", 400, mismatch},
			want{"InvalidSignatureException", 403, mismatch},
			want{"SignatureDoesNotMatch", 403, mismatch},
		},
		{
			Error{Kind: SignatureExpired, Detail: "Signature expired: …"},
			want{"InvalidSignatureException", 400, "Signature expired: …"},
			want{"InvalidSignatureException", 403, "Signature expired: …"},
			want{"SignatureDoesNotMatch", 403, "Signature expired: …"},
		},
		{
			Error{Kind: PresignExpired},
			want{"InvalidSignatureException", 400, "Request has expired."},
			want{"InvalidSignatureException", 403, "Request has expired."},
			want{"RequestExpired", 400, "Request has expired."},
		},
		{
			Error{Kind: UnknownAccessKey},
			want{"UnrecognizedClientException", 400, invalid},
			want{"UnrecognizedClientException", 403, invalid},
			want{"InvalidClientTokenId", 403, invalid},
		},
		{
			Error{Kind: InvalidToken},
			want{"UnrecognizedClientException", 400, invalid},
			want{"UnrecognizedClientException", 403, invalid},
			want{"InvalidClientTokenId", 403, invalid},
		},
		{
			Error{Kind: ExpiredToken},
			want{"ExpiredTokenException", 400, expired},
			want{"ExpiredTokenException", 403, expired},
			want{"ExpiredToken", 403, expired},
		},
	} {
		for d, w := range map[Dialect]want{JSON: tc.json, RESTJSON: tc.rest, Query: tc.query} {
			code, status, message := Refusal(&tc.err, d)
			if got := (want{code, status, message}); got != w {
				t.Errorf("kind %d in dialect %d: got %+v, want %+v", tc.err.Kind, d, got, w)
			}
		}
	}
}

// TestEveryKindIsTold finds holes in the tables.
func TestEveryKindIsTold(t *testing.T) {
	for d := range dialects {
		for k := MissingAuthentication; k < kinds; k++ {
			code, status, message := Refusal(&Error{Kind: k}, d)
			if code == "" || status < 400 || status >= 500 || message == "" {
				t.Errorf("kind %d in dialect %d: %q %d %q", k, d, code, status, message)
			}
		}
	}
}
