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
		d.EncodingType = "url"
		all(&d.Prefix, &d.Delimiter, &d.NextMarker, &d.StartAfter)
		if d.Marker != nil {
			all(d.Marker)
		}
		for i := range d.Contents {
			all(&d.Contents[i].Key)
		}
		mapPrefixes(d.CommonPrefixes, change)
	case *ListVersionsResult:
		d.EncodingType = "url"
		all(&d.Prefix, &d.Delimiter, &d.KeyMarker, &d.NextKeyMarker)
		for _, list := range [][]Version{d.Versions, d.DeleteMarkers} {
			for i := range list {
				all(&list[i].Key)
			}
		}
		mapPrefixes(d.CommonPrefixes, change)
	case *ListMultipartUploadsResult:
		d.EncodingType = "url"
		all(&d.Prefix, &d.Delimiter, &d.KeyMarker, &d.NextKeyMarker)
		for i := range d.Uploads {
			all(&d.Uploads[i].Key)
		}
		mapPrefixes(d.CommonPrefixes, change)
	case *ListPartsResult:
		d.EncodingType = "url"
		all(&d.Key)
	}
}

func mapPrefixes(list []Prefix, change func(string) string) {
	for i := range list {
		list[i].Prefix = change(list[i].Prefix)
	}
}

// DecodeNames undoes the encoding for URLs of the keys in a list, for
// connectors whose storage answers so.
func DecodeNames(document any, decode func(string) string) {
	mapNames(document, decode)
	clearEncoding(document)
}

func clearEncoding(document any) {
	switch d := document.(type) {
	case *ListBucketResult:
		d.EncodingType = ""
	case *ListVersionsResult:
		d.EncodingType = ""
	case *ListMultipartUploadsResult:
		d.EncodingType = ""
	case *ListPartsResult:
		d.EncodingType = ""
	}
}
