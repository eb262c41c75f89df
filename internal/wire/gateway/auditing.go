package gateway

import (
	"cmp"
	"encoding/json"
	"strconv"
	"time"

	"github.com/atrium-iam/atrium/internal/audit"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/iam"
	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// AuditSink takes records that are written after the fact: reads, refusals
// and requests of callers that could not be authenticated.
type AuditSink interface {
	// Enqueue takes the record of an authenticated caller's request.
	Enqueue(audit.Record)
	// Noise takes a record of an unauthenticated request, to be counted with
	// others like it.
	Noise(audit.Record)
}

// auditMutation records a change in the change's own transaction.
func (c *call) auditMutation(tx audit.Tx) error {
	return audit.Append(tx, c.record(nil))
}

// auditRefusal records, in the transaction of a refusal that changes
// something, who was refused. What proves no identity is left to
// auditOutcome.
func (c *call) auditRefusal(tx audit.Tx) error {
	if c.actor().Kind == iam.KindAnonymous {
		return nil
	}
	c.recorded = true
	return audit.Append(tx, c.record(translate(c.target.service.desc, c.request.ID, c.refused)))
}

// auditOutcome records what auditMutation did not: everything but a change
// that was made.
func (c *call) auditOutcome(err *wireError) {
	if c.target.op == nil || c.recorded || (err == nil && !c.target.op.ReadOnly && c.replay == nil) {
		return
	}
	if c.actor().Kind == iam.KindAnonymous && err != nil {
		c.gateway.Audit.Noise(c.record(err))
		return
	}
	c.gateway.Audit.Enqueue(c.record(err))
}

// record describes the call, with the members of its input and output that the
// operation's allow-lists name.
func (c *call) record(err *wireError) audit.Record {
	s, caller := c.target.service.desc, c.actor()
	r := audit.Record{
		UserIdentity: IdentityOf(caller), EventTime: c.request.Time,
		EventSource: cmp.Or(c.target.op.EventSource, s.EventSource), EventName: c.target.op.Name, Region: c.gateway.Region,
		SourceIPAddress: c.request.SourceIP, UserAgent: clip(c.request.UserAgent, 512),
		RequestParameters: c.picked(c.target.op.Input, c.input, c.target.op.AuditRequest),
		RequestID:         c.request.ID, EventID: c.gateway.IDs.UUID(), ReadOnly: c.target.op.ReadOnly,
		RecipientAccountID: caller.AccountID,
	}
	if err != nil {
		r.ErrorCode = err.failure.Code
		r.ErrorMessage = c.auditableMessage(err)
	} else {
		r.ResponseElements = c.picked(c.target.op.Output, c.output, c.target.op.AuditResponse)
	}
	return r
}

// auditableMessage is the message of a refusal. Messages about the input may
// quote it, so only those about permission are kept.
func (c *call) auditableMessage(err *wireError) string {
	if fault.Is(err.cause, fault.Denied) || c.actor().Kind == iam.KindAnonymous {
		return err.failure.Message
	}
	return ""
}

func (c *call) picked(ref schema.Ref, value any, paths []string) json.RawMessage {
	if value == nil || len(paths) == 0 {
		return nil
	}
	tree := pick(c.target.service.desc, ref, value, paths)
	if tree == nil {
		return nil
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return nil
	}
	return raw
}

// IdentityOf tells a principal in an audit record's words. People's names
// stay out of it: records name them by id.
func IdentityOf(p iam.Principal) audit.UserIdentity {
	u := audit.UserIdentity{
		PrincipalID: p.ID, ARN: p.ARN, AccountID: p.AccountID, AccessKeyID: p.AccessKeyID,
	}
	switch p.Kind {
	case iam.KindRoot:
		u.Type = "Root"
	case iam.KindUser:
		u.Type, u.UserName = "IAMUser", p.UserName
		if p.Session != nil {
			u.SessionContext = sessionContextOf(p)
		}
	case iam.KindRoleSession:
		u.Type, u.SessionContext = "AssumedRole", sessionContextOf(p)
		u.SessionContext.SessionIssuer = &audit.SessionIssuer{
			Type: "Role", PrincipalID: p.RoleID, AccountID: p.AccountID, UserName: p.RoleName,
			ARN: "arn:aws:iam::" + p.AccountID + ":role" + p.RolePath + p.RoleName,
		}
	case iam.KindFederatedUser:
		u.Type = "FederatedUser"
	case iam.KindIdentityCenterUser:
		u.Type, u.CredentialID = "IdentityCenterUser", p.PortalSessionID
		u.OnBehalfOf = &audit.OnBehalfOf{
			UserID:           p.IdentityStoreUserID,
			IdentityStoreARN: "arn:aws:identitystore::" + p.AccountID + ":identitystore/" + p.IdentityStoreID,
		}
	default:
		u.Type = "Unknown"
	}
	return u
}

// sessionContextOf describes the session of temporary credentials.
func sessionContextOf(p iam.Principal) *audit.SessionContext {
	s := &audit.SessionContext{Attributes: audit.SessionAttributes{MFAAuthenticated: strconv.FormatBool(p.MFAAuthenticated())}}
	if !p.IssuedAt.IsZero() {
		s.Attributes.CreationDate = p.IssuedAt.UTC().Format(time.RFC3339)
	}
	return s
}
