// Package s3 is the S3 door of an account's data plane. It authenticates
// requests of S3's REST API, recognises them by a closed table of operations,
// decides by the caller's policies, and has a Connector do what is allowed.
//
// Nothing of a request passes through as it came: an Operation is built anew
// from decoded fields that the table names, and so is the answer. What the
// table does not know is refused. Bodies are held to what was signed while
// they stream: a Connector gets the last byte only when everything has proved
// right, so that it never keeps what was changed on the way.
//
// Buckets belong to accounts, and callers reach their own account's only: each
// account is an S3 of its own.
package s3
