package app

import (
	"net/http"

	"github.com/atrium-iam/atrium/internal/keys"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mail/letter"
	"github.com/atrium-iam/atrium/internal/signin"
	"github.com/atrium-iam/atrium/internal/store"
)

// mailKeys protect letters and codes in the store.
func (p *Program) mailKeys() mail.Keys { return oauthKey{sealer{p.ring, keys.StoredSecrets}} }

// outbox takes letters; nil when none are sent.
func (p *Program) outbox() *mail.Outbox {
	if p.Mail == nil {
		return nil
	}
	return &mail.Outbox{Keys: p.mailKeys(), IDs: p.ids}
}

// newSender makes who empties the outbox; nil when no mail is sent.
func (p *Program) newSender() (*mail.Sender, error) {
	if p.Mail == nil {
		return nil, nil
	}
	w, err := letter.NewWriter(p.PeopleURL)
	if err != nil {
		return nil, err
	}
	return &mail.Sender{
		DB: store.Bind[mail.QueueTx](p.Store), Keys: p.mailKeys(), Write: w.Write, Transport: p.Mail, IDs: p.ids, Now: p.Now,
		Report: func(err error) { p.Log.Warn("mail", "error", err) },
	}, nil
}

// mailTo gives a flow of signing in what it needs of the post office.
func (p *Program) mailTo(f *signin.Flow) *signin.Flow {
	if box := p.outbox(); box != nil {
		f.Mail = box
	}
	return f
}

// mailbox mounts the pages that show a dev node's mail, if it has any.
func (p *Program) mailbox() mounter {
	if p.Mailbox == nil {
		return nothing{}
	}
	return p.Mailbox
}

// nothing serves no address.
type nothing struct{}

// Mount adds nothing.
func (nothing) Mount(*http.ServeMux) {}
