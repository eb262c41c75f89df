package s3

// OperationNames are the operations of the table.
func OperationNames() (names []string) {
	for _, o := range operations() {
		names = append(names, o.name)
	}
	return names
}
