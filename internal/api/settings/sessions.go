package settings

import (
	wire "github.com/atrium-iam/atrium/internal/awsapi/settings"
	"github.com/atrium-iam/atrium/internal/fault"
	"github.com/atrium-iam/atrium/internal/session"
)

// ListSessions lists a user's sessions at the access portal.
func (Service) ListSessions(c Context, in *wire.ListSessionsRequest) (*wire.ListSessionsResponse, error) {
	u, err := user(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	page, err := c.Page(in.NextToken, in.MaxResults, pageSize, u.StoreID, u.ID)
	if err != nil {
		return nil, err
	}
	sessions, next, err := session.List(c.Tx, c.Request.Time, u.StoreID, u.ID, page.After, page.Limit)
	return answer(&wire.ListSessionsResponse{Sessions: wireSessions(sessions), NextToken: c.NextToken(next, u.StoreID, u.ID)}, err)
}

// BatchGetSession returns those of the sessions that are the user's and have
// not ended.
func (Service) BatchGetSession(c Context, in *wire.BatchGetSessionRequest) (*wire.BatchGetSessionResponse, error) {
	u, err := user(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	sessions, err := session.OfUser(c.Tx, c.Request.Time, u.StoreID, u.ID, in.SessionIds)
	return answer(&wire.BatchGetSessionResponse{Sessions: wireSessions(sessions)}, err)
}

// BatchDeleteSession ends sessions of a user, or all of them, with what was
// opened from them: approved clients, and roles in accounts. A session that is
// not there any more is passed over.
func (Service) BatchDeleteSession(c Context, in *wire.BatchDeleteSessionRequest) (*wire.BatchDeleteSessionResponse, error) {
	_, u, err := administered(c, in.IdentityStoreId, in.UserId)
	if err != nil {
		return nil, err
	}
	all := in.AllSessions != nil && *in.AllSessions
	if all == (in.SessionIds != nil) {
		return nil, fault.New(fault.Invalid, "", "Give the SessionIds of the sessions to delete, or AllSessions.")
	}
	if all {
		n, err := session.EndAll(c.Tx, u.StoreID, u.ID)
		return answer(&wire.BatchDeleteSessionResponse{DeletedCount: new(int32(n))}, err)
	}
	found, err := session.OfUser(c.Tx, c.Request.Time, u.StoreID, u.ID, in.SessionIds)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		if err := session.End(c.Tx, s.ID); err != nil {
			return nil, err
		}
	}
	return &wire.BatchDeleteSessionResponse{DeletedCount: new(int32(len(found)))}, nil
}

func wireSessions(sessions []session.Session) []wire.Session {
	out := make([]wire.Session, len(sessions))
	for i := range sessions {
		s := &sessions[i]
		out[i] = wire.Session{
			SessionId: &s.ID, UserId: &s.UserID, CreatedDate: &s.CreatedAt, ExpiryDate: &s.ExpiresAt,
			SourceIpAddress: optional(s.Client.IP), UserAgent: optional(s.Client.UserAgent),
		}
	}
	return out
}
