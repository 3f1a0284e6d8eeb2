package rest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

// TestOperationTakesTooLong: an operation whose database does not answer ends by itself, whatever the
// driver calls it, and an answer that came all the same is sent.
func TestOperationTakesTooLong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		ends   func(context.Context) error
		status int
		code   string
	}{
		{"its context's error", func(ctx context.Context) error { return ctx.Err() }, 503, `"code":"unavailable"`},
		{"an error of the driver", func(context.Context) error { return errors.New("query cancelled") }, 503, `"code":"unavailable"`},
		{"a problem", func(context.Context) error { return fault.New(fault.InvalidState, "") }, 409, `"code":"invalid_state"`},
		{"an answer", func(context.Context) error { return nil }, 204, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				mux := http.NewServeMux()
				rest.Register(rest.New(mux, huma.Info{Title: "test", Version: "1"}),
					huma.Operation{OperationID: "wait", Method: http.MethodGet, Path: "/wait"},
					func(ctx context.Context, _ *struct{}) (*struct{}, error) {
						<-ctx.Done()
						return nil, test.ends(ctx)
					})
				began := time.Now()
				answer := httptest.NewRecorder()
				mux.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/wait", http.NoBody))
				require.Equal(t, 30*time.Second, time.Since(began))
				require.Equal(t, test.status, answer.Code)
				require.Contains(t, answer.Body.String(), test.code)
				require.NotContains(t, answer.Body.String(), "query")
			})
		})
	}
}
