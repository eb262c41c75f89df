package objectstore_test

import "encoding/base64"

func encode(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }
