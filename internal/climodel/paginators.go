package climodel

import (
	"encoding/json"
	"path"

	"github.com/atrium-iam/atrium/internal/wire/schema"
)

// PaginatorsFile is where the paginators of a service lie, beside File.
func PaginatorsFile(s *schema.Service, n Name) string {
	return path.Join(n.Command, s.APIVersion, "paginators-1.json")
}

// WritePaginators returns what tells clients how lists go on: with it the AWS
// CLI shows all pages of a list at once.
func WritePaginators(s *schema.Service) ([]byte, error) {
	type paginator struct {
		InputToken  string   `json:"input_token"`
		OutputToken string   `json:"output_token"`
		LimitKey    string   `json:"limit_key,omitempty"`
		ResultKey   []string `json:"result_key"`
	}
	file := struct {
		Pagination map[string]paginator `json:"pagination"`
	}{make(map[string]paginator)}
	for i := range s.Operations {
		if p := s.Operations[i].Paginated; p.InputToken != "" {
			file.Pagination[s.Operations[i].Name] = paginator{p.InputToken, p.OutputToken, p.LimitKey, p.ResultKeys}
		}
	}
	raw, err := json.MarshalIndent(file, "", "  ")
	return append(raw, '\n'), err
}
