package fault_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
)

// Every code constant is in the table, so New cannot panic on one.
func TestEveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	require.NoError(t, err)
	seen := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		if strings.HasPrefix(spec.Names[0].Name, "Field") {
			return true
		}
		status, known := fault.Status(text)
		require.True(t, known, text)
		require.False(t, seen[text], text)
		seen[text] = true
		p := fault.New(text, "")
		require.Equal(t, status, p.Status)
		if status == 503 || status == 429 {
			require.NotEmpty(t, p.Header.Get("Retry-After"), text)
		}
		if status == 401 && text != fault.Unauthenticated {
			require.Contains(t, p.Header.Get("WWW-Authenticate"), "Bearer", text)
		}
		return true
	})
	require.Greater(t, len(seen), 70)
}

func TestNewPanicsOnUnknownCode(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { fault.New("nonsense", "") })
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	p := fault.Invalid(
		fault.Body("#/username", fault.FieldTooShort, "Use 3 to 32 characters."),
		fault.Parameter("size", fault.FieldOutOfRange, "Use 1 to 100."),
	)
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.JSONEq(t, `{"title":"Unprocessable Entity","status":422,"detail":"Several fields are not acceptable.",
		"code":"validation_failed","errors":[{"pointer":"#/username","code":"too_short","detail":"Use 3 to 32 characters."},
		{"parameter":"size","code":"out_of_range","detail":"Use 1 to 100."}]}`, string(text))
	require.Equal(t, "One field is not acceptable.", fault.Invalid(fault.Field{}).Detail)
}

func TestWithLeavesTheSentinelAlone(t *testing.T) {
	t.Parallel()
	sentinel := fault.New(fault.SurveyIncomplete, "Add what is missing.")
	extended := fault.With(sentinel, "missing", []string{"rooms"})
	again := fault.With(extended, "count", 1)
	require.Empty(t, sentinel.Extensions)
	require.Len(t, extended.Extensions, 1)
	require.Len(t, again.Extensions, 2)
	require.ErrorIs(t, again, sentinel)
	require.Equal(t, fault.SurveyIncomplete, fault.CodeOf(fmt.Errorf("wrapped: %w", again)))
	require.Empty(t, fault.CodeOf(nil))
}
