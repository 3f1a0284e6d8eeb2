package moving_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

// Every operation is described, and what answers hold is in the document: huma leaves out the members
// of embedded types that are not exported.
func TestDocument(t *testing.T) {
	t.Parallel()
	e := newEnv(t, openSQLite(t))
	mux := http.NewServeMux()
	api := rest.New(mux, huma.Info{Title: "test", Version: "1"})
	e.service.Register(mux, api)
	text, err := json.Marshal(api.OpenAPI())
	require.NoError(t, err)
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string              `json:"operationId"`
			Summary     string              `json:"summary"`
			Description string              `json:"description"`
			Tags        []string            `json:"tags"`
			Security    []map[string]any    `json:"security"`
			Responses   map[string]struct{} `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	require.NoError(t, json.Unmarshal(text, &document))
	ids := map[string]bool{}
	for path, operations := range document.Paths {
		for method, op := range operations {
			where := method + " " + path
			require.NotEmpty(t, op.Summary, where)
			require.NotEmpty(t, op.Description, where)
			require.NotEmpty(t, op.Tags, where)
			require.Contains(t, op.Responses, "default", where)
			require.False(t, ids[op.OperationID], op.OperationID)
			ids[op.OperationID] = true
			require.Equal(t, path != "/v1/variants", len(op.Security) == 1, where)
			require.True(t, strings.HasPrefix(path, "/v1/"), where)
		}
	}
	require.Len(t, ids, 40)

	members := 0
	for _, schema := range document.Components.Schemas {
		for _, name := range []string{"survey_token", "total_pence", "final_price_pence", "percent"} {
			if _, ok := schema.Properties[name]; ok {
				members++
			}
		}
	}
	require.GreaterOrEqual(t, members, 8)
}
