package main

import (
	"io"

	"github.com/atrium-iam/atrium/internal/app"
	"github.com/atrium-iam/atrium/internal/config"
	"github.com/atrium-iam/atrium/internal/mail"
	"github.com/atrium-iam/atrium/internal/mail/preview"
	"github.com/atrium-iam/atrium/internal/mail/smtp"
)

// mailServer returns what sends mail by a configured server; nil for none.
func mailServer(c config.SMTP) (mail.Transport, error) {
	if c.Host == "" {
		return nil, nil
	}
	return smtp.New(smtp.Options{
		Host: c.Host, Port: c.Port, Security: smtp.Security(c.Security),
		UserName: c.UserName, Password: c.Password.Reveal(), From: c.From, Roots: c.Roots,
	})
}

// devMail are the flags of a dev node about mail.
type devMail struct {
	SMTPHost         string `name:"smtp-host" help:"Mail server; without one, mail is shown on a page of the node and on the terminal."`
	SMTPPort         string `name:"smtp-port" help:"Its port."`
	SMTPTLS          string `name:"smtp-tls" help:"starttls, tls or none."`
	SMTPUsername     string `name:"smtp-username" help:"User name at the mail server."`
	SMTPPasswordFile string `name:"smtp-password-file" type:"path" help:"File of the password at the mail server, mode 0600."`
	SMTPFrom         string `name:"smtp-from" help:"Sender of mail."`
	SMTPCAFile       string `name:"smtp-ca-file" type:"path" help:"Certificate authorities of the mail server, PEM."`
}

// mail gives a dev node its mail server or, without one, the page that shows
// mail.
func (d devMail) mail(o *app.Options, terminal io.Writer) error {
	c, err := config.ReadSMTP(map[string]string{
		"host": d.SMTPHost, "port": d.SMTPPort, "tls": d.SMTPTLS, "username": d.SMTPUsername,
		"password_file": d.SMTPPasswordFile, "from": d.SMTPFrom, "ca_file": d.SMTPCAFile,
	})
	if err != nil {
		return usageError{err}
	}
	server, err := mailServer(c)
	if err != nil {
		return err
	}
	if server != nil {
		o.Mail = server
		return nil
	}
	box, err := preview.New(terminal)
	if err != nil {
		return err
	}
	o.Mail, o.Mailbox = box, box
	return nil
}
