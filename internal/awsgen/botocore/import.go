// Package botocore reads the service models that AWS publishes with botocore
// and keeps their facts.
package botocore

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/atrium-iam/atrium/internal/awsgen/model"
)

type vendorModel struct {
	Metadata struct {
		APIVersion     string `json:"apiVersion"`
		EndpointPrefix string `json:"endpointPrefix"`
		Protocol       string `json:"protocol"`
		SigningName    string `json:"signingName"`
		TargetPrefix   string `json:"targetPrefix"`
		XMLNamespace   string `json:"xmlNamespace"`
	} `json:"metadata"`
	Operations map[string]vendorOperation `json:"operations"`
	Shapes     map[string]vendorShape     `json:"shapes"`
}

type vendorOperation struct {
	HTTP struct {
		Method     string `json:"method"`
		RequestURI string `json:"requestUri"`
	} `json:"http"`
	Input  *vendorRef  `json:"input"`
	Output *vendorRef  `json:"output"`
	Errors []vendorRef `json:"errors"`
	// Both spell "this operation is not signed".
	AuthType string   `json:"authtype"`
	Auth     []string `json:"auth"`
	ReadOnly bool     `json:"readonly"`
}

type vendorRef struct {
	Shape         string `json:"shape"`
	ResultWrapper string `json:"resultWrapper"`
	Location      string `json:"location"`
	LocationName  string `json:"locationName"`
	Idempotency   bool   `json:"idempotencyToken"`
}

type vendorShape struct {
	Type            string          `json:"type"`
	Members         json.RawMessage `json:"members"`
	Required        []string        `json:"required"`
	Member          *vendorRef      `json:"member"`
	Key             *vendorRef      `json:"key"`
	Value           *vendorRef      `json:"value"`
	Flattened       bool            `json:"flattened"`
	Min             *float64        `json:"min"`
	Max             *float64        `json:"max"`
	Pattern         string          `json:"pattern"`
	Enum            []string        `json:"enum"`
	Sensitive       bool            `json:"sensitive"`
	Union           bool            `json:"union"`
	Document        bool            `json:"document"`
	TimestampFormat string          `json:"timestampFormat"`
	Exception       bool            `json:"exception"`
	Fault           bool            `json:"fault"`
	Error           *struct {
		Code           string `json:"code"`
		HTTPStatusCode int    `json:"httpStatusCode"`
	} `json:"error"`
}

type vendorPaginators struct {
	Pagination map[string]struct {
		InputToken  stringOrList `json:"input_token"`
		OutputToken stringOrList `json:"output_token"`
		LimitKey    string       `json:"limit_key"`
		ResultKey   stringOrList `json:"result_key"`
	} `json:"pagination"`
}

// stringOrList is a JSON string or a list of them.
type stringOrList []string

func (s *stringOrList) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*s = stringOrList{one}
		return nil
	}
	var many []string
	if err := json.Unmarshal(raw, &many); err != nil {
		return err
	}
	*s = many
	return nil
}

// Import reads the newest model of service id under the botocore data
// directory dir and returns its facts.
func Import(dir, id string) (*model.Service, error) {
	versions, err := filepath.Glob(filepath.Join(dir, id, "*", "service-2.json*"))
	if err != nil || len(versions) == 0 {
		return nil, fmt.Errorf("no model of %s under %s", id, dir)
	}
	slices.Sort(versions)
	version := filepath.Dir(versions[len(versions)-1])
	var vm vendorModel
	if err := readJSON(filepath.Join(version, "service-2.json"), &vm); err != nil {
		return nil, err
	}
	var vp vendorPaginators
	if err := readJSON(filepath.Join(version, "paginators-1.json"), &vp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return convert(id, &vm, &vp)
}

// readJSON decodes path, or path with ".gz" appended when that is what exists.
func readJSON(path string, into any) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if f, err = os.Open(path + ".gz"); err != nil {
			return err
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("%s.gz: %w", path, err)
		}
		return decode(z, path, into)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return decode(f, path, into)
}

func decode(r io.Reader, path string, into any) error {
	if err := json.NewDecoder(r).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
