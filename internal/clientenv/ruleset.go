package clientenv

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// WriteRuleSets writes, under dir, endpoint rule sets that resolve every
// service to Atrium. The AWS CLI reads them when AWS_DATA_PATH names dir; it
// is how versions before 2.13, which know no endpoint variables, are pointed
// elsewhere. An --endpoint-url on the command line still wins.
func WriteRuleSets(dir string, e Endpoints) error {
	for _, s := range services() {
		rules := ruleSet([]any{endpointRule(nil, e.People)})
		if s.data {
			// Buckets go into the path: bucket-in-host names would need DNS.
			rules = ruleSet([]any{
				endpointRule([]any{isSet("Bucket")}, e.Data+"/{Bucket}"),
				endpointRule(nil, e.Data),
			})
			rules["parameters"].(map[string]any)["Bucket"] = map[string]any{"required": false, "type": "String"}
		}
		raw, err := json.MarshalIndent(rules, "", " ")
		if err != nil {
			return err
		}
		target := filepath.Join(dir, s.id, s.version)
		if err := os.MkdirAll(target, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(target, "endpoint-rule-set-1.json"), append(raw, '\n'), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// ruleSet is an endpoint rule set (the format of the Smithy endpoints
// specification) that honours an explicit endpoint and else tries rules.
func ruleSet(rules []any) map[string]any {
	explicit := []any{endpointRule([]any{isSet("Endpoint"), isSet("Bucket")}, "{Endpoint}/{Bucket}"), endpointRule([]any{isSet("Endpoint")}, "{Endpoint}")}
	if len(rules) == 1 {
		explicit = explicit[1:]
	}
	return map[string]any{
		"version": "1.0",
		"parameters": map[string]any{
			"Region":       parameter("AWS::Region", "String"),
			"UseDualStack": parameter("AWS::UseDualStack", "Boolean"),
			"UseFIPS":      parameter("AWS::UseFIPS", "Boolean"),
			"Endpoint":     parameter("SDK::Endpoint", "String"),
		},
		"rules": append(explicit, rules...),
	}
}

func parameter(builtIn, kind string) map[string]any {
	return map[string]any{"builtIn": builtIn, "required": false, "type": kind, "documentation": ""}
}

func isSet(name string) map[string]any {
	return map[string]any{"fn": "isSet", "argv": []any{map[string]any{"ref": name}}}
}

func endpointRule(conditions []any, url string) map[string]any {
	if conditions == nil {
		conditions = []any{}
	}
	return map[string]any{
		"type": "endpoint", "conditions": conditions,
		"endpoint": map[string]any{"url": url, "properties": map[string]any{}, "headers": map[string]any{}},
	}
}
