package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/wire/codec"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// wireError is an error as it travels.
type wireError struct {
	status  int
	failure codec.Failure
	cause   error // for the log; nil when the failure tells it all
	// allow is the header that a status of 405 comes with.
	allow string
}

func refuse(status int, code, message string) *wireError {
	return &wireError{status: status, failure: codec.Unmodelled(code, message)}
}

// ours tells whether Atrium failed, and not the caller. Some services answer
// that with a status of 400, so the status does not say. A client that went
// away is no failure.
func (e *wireError) ours() bool {
	if errors.Is(e.cause, context.Canceled) {
		return false
	}
	failed := e.cause != nil && (fault.Is(e.cause, fault.Internal) || fault.Is(e.cause, fault.Unavailable))
	return failed || e.status >= http.StatusInternalServerError
}

// translate turns any error of an operation into the service's wire error.
// It is the only place that does: what it does not know is an internal error
// whose text stays in the log.
func translate(s *schema.Service, requestID string, err error) *wireError {
	if errors.Is(err, schema.ErrNotImplemented) {
		return refuse(http.StatusBadRequest, "UnsupportedOperationException",
			"Atrium does not serve this operation yet.")
	}
	f := faultOf(err, requestID)
	shape := shapeOf(s, f)
	if e := s.ErrorByShape(shape); e != nil {
		return &wireError{status: e.Status, failure: codec.NewFailure(e, f.Message, memberValues(f, requestID)), cause: err}
	}
	w := refuse(http.StatusBadRequest, shape, f.Message)
	w.cause = err
	switch {
	case f.Category == fault.Internal || f.Category == fault.Unavailable:
		w.status, w.failure.Sender = http.StatusInternalServerError, false
	case f.Category == fault.Denied && s.Protocol != schema.AWSJSON11:
		w.status = http.StatusForbidden
	}
	return w
}

// faultOf finds the domain's error in err. Whatever is not meant for callers
// becomes an internal error that names the request.
func faultOf(err error, requestID string) *fault.Error {
	f, known := errors.AsType[*fault.Error](err)
	switch {
	case known && f.Category != fault.Internal:
		return f
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "", "The request was not completed in time. Try again.")
	default:
		return fault.New(fault.Internal, "", "An internal error occurred. Try again; if it persists, give your administrator the request id %s.", requestID)
	}
}

// shapeOf finds the error shape that tells f: the overlay's word on
// "category:subject", on "category", or a general name.
func shapeOf(s *schema.Service, f *fault.Error) string {
	if shape, ok := s.Faults[f.Category.String()+":"+f.Subject]; ok && f.Subject != "" {
		return shape
	}
	if shape, ok := s.Faults[f.Category.String()]; ok {
		return shape
	}
	switch s.Protocol {
	case schema.AWSQuery:
		return queryCodes[f.Category]
	case schema.RESTJSON1:
		if f.Category == fault.Denied {
			return "ForbiddenException"
		}
	case schema.AWSJSON11:
	}
	return jsonCodes[f.Category]
}

// The codes of services whose model has no error for a category.
var (
	jsonCodes = map[fault.Category]string{
		fault.Internal: "InternalServerException", fault.Invalid: "ValidationException", fault.NotFound: "ResourceNotFoundException",
		fault.Conflict: "ConflictException", fault.Denied: "AccessDeniedException", fault.Quota: "ServiceQuotaExceededException",
		fault.Throttled: "ThrottlingException", fault.Unavailable: "ServiceUnavailableException", fault.Unimplemented: "UnsupportedOperationException",
	}
	queryCodes = map[fault.Category]string{
		fault.Internal: "InternalFailure", fault.Invalid: "ValidationError", fault.NotFound: "NoSuchEntity",
		fault.Conflict: "EntityAlreadyExists", fault.Denied: "AccessDenied", fault.Quota: "LimitExceeded",
		fault.Throttled: "Throttling", fault.Unavailable: "ServiceUnavailable", fault.Unimplemented: "UnsupportedOperation",
	}
)

// memberValues holds what error shapes may carry beside their message.
func memberValues(f *fault.Error, requestID string) map[string]any {
	values := map[string]any{"RequestId": requestID}
	if f.Reason != "" {
		values["Reason"] = f.Reason
	}
	if f.ResourceType != "" {
		values["ResourceType"] = f.ResourceType
	}
	if f.ResourceID != "" {
		values["ResourceId"] = f.ResourceID
	}
	if f.RetryAfter > 0 {
		values["RetryAfterSeconds"] = int64(math.Ceil(f.RetryAfter.Seconds()))
	}
	return values
}

// unknownOperation refuses an operation that the service, or any service,
// does not have.
func unknownOperation(k kind, name string) *wireError {
	if k == kindQuery {
		return refuse(http.StatusBadRequest, "InvalidAction",
			fmt.Sprintf("The action %s is not valid for this web service.", clip(name, 100)))
	}
	message := "The request does not name an operation as AWS JSON 1.1 does: by POST, the content type application/x-amz-json-1.1 and one X-Amz-Target."
	if name != "" {
		message = fmt.Sprintf("There is no operation %s here.", clip(name, 100))
	}
	return refuse(http.StatusBadRequest, "UnknownOperationException", message)
}

// wrongMethod refuses a request by a method that nothing at its address has.
func wrongMethod(allow string) *wireError {
	e := refuse(http.StatusMethodNotAllowed, "UnsupportedMethodException", "This address is called by "+allow+".")
	e.allow = allow
	return e
}

// clip shortens text that a caller sent, to at most limit characters, before
// it is shown or stored.
func clip(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
