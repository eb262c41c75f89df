package permissionset

func requireGrammar(string) error       { return nil }
func requireManagedPolicy(string) error { return nil }
