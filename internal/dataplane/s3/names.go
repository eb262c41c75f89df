package s3

// mapNames changes every key and prefix in a list, those that the caller gave
// included, as an encoding of them does.
func mapNames(document any, change func(string) string) {
	all := func(names ...*string) {
		for _, name := range names {
			*name = change(*name)
		}
	}
	switch d := document.(type) {
	case *ListBucketResult:
		all(&d.Prefix, &d.Delimiter, &d.NextMarker, &d.StartAfter)
		if d.Marker != nil {
			all(d.Marker)
		}
		for i := range d.Contents {
			all(&d.Contents[i].Key)
		}
		mapPrefixes(d.CommonPrefixes, change)
	case *ListVersionsResult:
		all(&d.Prefix, &d.Delimiter, &d.KeyMarker, &d.NextKeyMarker)
		for _, list := range [][]Version{d.Versions, d.DeleteMarkers} {
			for i := range list {
				all(&list[i].Key)
			}
		}
		mapPrefixes(d.CommonPrefixes, change)
	case *ListMultipartUploadsResult:
		all(&d.Prefix, &d.Delimiter, &d.KeyMarker, &d.NextKeyMarker)
		for i := range d.Uploads {
			all(&d.Uploads[i].Key)
		}
		mapPrefixes(d.CommonPrefixes, change)
	case *ListPartsResult:
		all(&d.Key)
	}
}

func mapPrefixes(list []Prefix, change func(string) string) {
	for i := range list {
		list[i].Prefix = change(list[i].Prefix)
	}
}

// DecodeNames undoes the encoding for URLs of the keys in a list, for
// connectors whose storage was asked for it. A storage that does not encode
// does not say that it has: then the keys are as they are.
func DecodeNames(document any, decode func(string) string) {
	said := encoding(document)
	if said == nil {
		return
	}
	if *said == "url" {
		mapNames(document, decode)
	}
	*said = ""
}

// encoding is where a list tells how its keys are encoded; nil for documents
// that are no lists.
func encoding(document any) *string {
	switch d := document.(type) {
	case *ListBucketResult:
		return &d.EncodingType
	case *ListVersionsResult:
		return &d.EncodingType
	case *ListMultipartUploadsResult:
		return &d.EncodingType
	case *ListPartsResult:
		return &d.EncodingType
	}
	return nil
}
