// Package objectstore is an S3 of one's own: it keeps the buckets of accounts
// in a directory of this machine. It is made for development and small
// installations.
//
// The content of objects and parts lies in files that are written once, under
// random names: no key of an object ever becomes a path. A small database
// beside them, the index, knows which files an object is made of. A file is on
// the disk before the index names it, and goes only after the index has let go
// of it. So an object is either the old or the new one, whole, whatever
// happens meanwhile; what a crash leaves behind is swept away a day later.
package objectstore
