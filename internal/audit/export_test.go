package audit

import "context"

// ApplyRetention applies retention as Run does.
func ApplyRetention(ctx context.Context, w *Writer) error { return w.retain(ctx) }
