package objectstore

import (
	"encoding/base64"
	"hash"
	"io"

	"github.com/atrium-iam/atrium/internal/dataplane/s3"
)

// summed computes a checksum of what is read through it.
type summed struct {
	r         io.Reader
	algorithm string
	hash      hash.Hash // nil for no algorithm
}

func newSummed(r io.Reader, algorithm string) *summed {
	return &summed{r: r, algorithm: algorithm, hash: s3.NewChecksum(algorithm)}
}

// Read is io.Reader's.
func (s *summed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if s.hash != nil {
		s.hash.Write(p[:n])
	}
	return n, err
}

func (s *summed) checksum() s3.Checksum {
	if s.hash == nil {
		return s3.Checksum{}
	}
	return s3.Checksum{Algorithm: s.algorithm, Value: base64.StdEncoding.EncodeToString(s.hash.Sum(nil))}
}
