package rbac_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/rbac"
)

// get sends a request as a subject, "" for nobody, through h.
func get(h http.Handler, subject string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/areas", nil)
	r.Header.Set("X-Subject", subject)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func newWeb(t *testing.T, change func(*rbac.Config)) (*world, *fakeStore, *rbac.Checker) {
	t.Helper()
	w, store := newWorld(), newFake()
	cfg := rbac.Config{
		Registry: w.reg, Store: store,
		Identify: func(r *http.Request) (string, string, error) {
			if r.Header.Get("X-Subject") == "broken" {
				return "", "", errors.New("no such session")
			}
			return "", r.Header.Get("X-Subject"), nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := rbac.New(cfg)
	require.NoError(t, err)
	seed(t, store, rbac.Role{Name: "user", Grants: []string{"area:read"}})
	give(t, store, "", "ann", "user")
	return w, store, c
}

var ok = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if s, ok := rbac.SubjectFrom(r.Context()); ok {
		w.Header().Set("X-Seen", s.ID())
	}
	w.WriteHeader(http.StatusNoContent)
})

// Anonymous is 401, not allowed is 403, and the answer names no permission.
func TestRequire(t *testing.T) {
	t.Parallel()
	w, _, c := newWeb(t, nil)
	tests := []struct {
		name    string
		guard   func(http.Handler) http.Handler
		subject string
		want    int
	}{
		{"held", rbac.Require(w.areaRead), "ann", 204},
		{"one of two", rbac.Require(w.areaRead, w.edit), "ann", 403},
		{"not held", rbac.Require(w.edit), "ann", 403},
		{"any of two", rbac.RequireAny(w.edit, w.areaRead), "ann", 204},
		{"none of two", rbac.RequireAny(w.edit, w.assign), "ann", 403},
		{"no permission asked", rbac.Require(), "bob", 204},
		{"no role", rbac.Require(w.areaRead), "bob", 403},
		{"anonymous", rbac.Require(w.areaRead), "", 401},
		{"anonymous, no permission asked", rbac.Require(), "", 401},
		{"identification fails", rbac.Require(w.areaRead), "broken", 500},
		{"foreign permission", rbac.Require(newWorld().areaRead), "ann", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res := get(c.Resolve(tt.guard(ok)), tt.subject)
			require.Equal(t, tt.want, res.Code, res.Body)
			if tt.want == 204 {
				require.Equal(t, tt.subject, res.Header().Get("X-Seen"))
				return
			}
			require.Equal(t, "application/problem+json", res.Header().Get("Content-Type"))
			for _, secret := range []string{"role:manage", "area:read", "user:assign", "rbac", "session"} {
				require.NotContains(t, res.Body.String(), secret)
			}
			require.Equal(t, tt.want == 401, res.Header().Get("WWW-Authenticate") != "")
		})
	}
	t.Run("without Resolve", func(t *testing.T) {
		t.Parallel()
		res := get(rbac.Require(w.areaRead)(ok), "ann")
		require.Equal(t, 401, res.Code)
		require.JSONEq(t, `{"title": "Unauthorized", "status": 401, "detail": "Sign in to use this.",
			"instance": "/areas", "code": "unauthenticated"}`, res.Body.String())
	})
	t.Run("anonymous passes Resolve", func(t *testing.T) {
		t.Parallel()
		res := get(c.Resolve(ok), "")
		require.Equal(t, 204, res.Code)
		require.Empty(t, res.Header().Get("X-Seen"))
	})
	t.Run("zero subject in the context", func(t *testing.T) {
		t.Parallel()
		_, found := rbac.SubjectFrom(rbac.WithSubject(t.Context(), rbac.Subject{}))
		require.False(t, found)
	})
	t.Run("programmer errors", func(t *testing.T) {
		t.Parallel()
		require.Panics(t, func() { rbac.Require(rbac.Permission{}) })
		require.Panics(t, func() { rbac.RequireAny() })
		require.Panics(t, func() { rbac.RequireAny(w.areaRead, rbac.Permission{}) })
		bare, err := rbac.New(rbac.Config{Registry: w.reg, Store: newFake()})
		require.NoError(t, err)
		require.Panics(t, func() { bare.Resolve(ok) })
	})
}

func TestResolveWithoutStore(t *testing.T) {
	t.Parallel()
	w, store, c := newWeb(t, nil)
	store.down.Store(true)
	res := get(c.Resolve(rbac.Require(w.areaRead)(ok)), "ann")
	require.Equal(t, 503, res.Code)
	require.Equal(t, "1", res.Header().Get("Retry-After"))
	require.NotContains(t, res.Body.String(), "down")
	require.Equal(t, 401, get(c.Resolve(rbac.Require(w.areaRead)(ok)), "").Code, "no subject needs no store")
}

func TestOnErrorReachesRequire(t *testing.T) {
	t.Parallel()
	var seen []error
	w, _, c := newWeb(t, func(cfg *rbac.Config) {
		cfg.OnError = func(w http.ResponseWriter, _ *http.Request, err error) {
			seen = append(seen, err)
			w.WriteHeader(http.StatusTeapot)
		}
	})
	for subject, want := range map[string]error{"": rbac.ErrNoSubject, "bob": rbac.ErrDenied} {
		seen = nil
		require.Equal(t, http.StatusTeapot, get(c.Resolve(rbac.Require(w.areaRead)(ok)), subject).Code)
		require.Len(t, seen, 1)
		require.ErrorIs(t, seen[0], want)
	}
	var denied *rbac.DeniedError
	get(c.Resolve(rbac.RequireAny(w.edit, w.assign)(ok)), "ann")
	require.ErrorAs(t, seen[len(seen)-1], &denied)
	require.Equal(t, rbac.DeniedError{Subject: "ann", Permission: "role:manage", Reason: "no role of the subject grants it"}, *denied)
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]struct {
		status int
		code   string
	}{
		rbac.ErrNoSubject:                                {401, "unauthenticated"},
		&rbac.DeniedError{}:                              {403, "forbidden"},
		&rbac.EscalationError{}:                          {403, "escalation"},
		rbac.ErrUnknownRole:                              {404, "not_found"},
		rbac.ErrLastManager:                              {409, "last_manager"},
		rbac.ErrRoleInUse:                                {409, "in_use"},
		rbac.ErrConflict:                                 {412, "stale_version"},
		&rbac.RoleError{Err: rbac.ErrCycle}:              {422, "validation_failed"},
		rbac.ErrStale:                                    {503, "unavailable"},
		rbac.ErrUnavailable:                              {503, "unavailable"},
		context.DeadlineExceeded:                         {503, "unavailable"},
		errors.Join(rbac.ErrUnavailable, errDown):        {503, "unavailable"},
		errors.Join(rbac.ErrDenied, rbac.ErrUnavailable): {503, "unavailable"},
		errDown: {500, "internal"},
	} {
		w := httptest.NewRecorder()
		rbac.WriteError(w, httptest.NewRequest(http.MethodGet, "/", nil), err)
		require.Equal(t, want.status, w.Code, err)
		require.Contains(t, w.Body.String(), `"code":"`+want.code+`"`, err)
		require.NotContains(t, w.Body.String(), "rbac:")
	}
}
