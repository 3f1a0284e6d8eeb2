package trail_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/middleware"
)

// An entry made below the middleware and the authentication knows who did it and from where.
func TestFactsReachTheEntry(t *testing.T) {
	t.Parallel()
	kept := &audit.Memory{}
	logger, err := audit.New(audit.Config{Sink: kept})
	require.NoError(t, err)
	ids, err := middleware.RequestID(middleware.RequestIDConfig{})
	require.NoError(t, err)
	addresses, err := middleware.ClientIP(middleware.ClientIPConfig{})
	require.NoError(t, err)
	handler := middleware.Chain(ids, addresses, trail.Request)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx := trail.WithUser(r.Context(), "user-1", "company-1", "session-1")
		require.NoError(t, logger.Log(ctx, audit.Event{Action: trail.Update}))
		ctx = trail.WithCustomer(r.Context(), "move-1", "company-2")
		require.NoError(t, logger.Log(ctx, audit.Event{Action: trail.Submit}))
		ctx = trail.WithSystem(r.Context(), "softdelete.purge")
		require.NoError(t, logger.Log(ctx, audit.Event{Action: trail.Purge}))
	}))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "/v1/users/me?q=robin%40example.com", nil)
	r.Header.Set("X-Request-Id", "request-1")
	r.Header.Set("User-Agent", "Test/1")
	r.RemoteAddr = "192.0.2.7:4711"
	handler.ServeHTTP(httptest.NewRecorder(), r)

	events := kept.Events()
	require.Len(t, events, 3)
	require.Equal(t, audit.Request{
		ID: "request-1", SessionID: "session-1", IP: "192.0.2.7", UserAgent: "Test/1",
		Method: http.MethodPatch, Path: "/v1/users/me",
	}, events[0].Request)
	require.Equal(t, audit.Actor{Type: "user", ID: "user-1", Tenant: "company-1"}, events[0].Actor)
	require.Equal(t, "company-1", events[0].Tenant)
	require.Equal(t, audit.Actor{Type: "customer", ID: "move-1", Tenant: "company-2"}, events[1].Actor)
	require.Empty(t, events[1].Request.SessionID)
	require.Equal(t, audit.Actor{Type: "system", ID: "softdelete.purge"}, events[2].Actor)
}

func TestActions(t *testing.T) {
	t.Parallel()
	actions := trail.Actions()
	require.Len(t, actions, 57)
	for _, action := range actions {
		require.Regexp(t, regexp.MustCompile(`^[a-z]+(_[a-z]+)?$`), action)
	}
	slices.Sort(actions)
	require.Equal(t, slices.Compact(slices.Clone(actions)), actions)
}
