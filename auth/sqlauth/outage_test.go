package sqlauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/sqldb"
)

func TestOutageIs503AndKeepsTheCookie(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		db := &unplugged{TxDB: open(t)}
		cookie, err := auth.NewCookie(auth.CookieConfig{})
		require.NoError(t, err)
		cfg := auth.Config{Store: sqlauth.New(db), Denylist: sqlauth.NewDenylist(db)}
		svc := newService(t, cfg)
		patient, err := auth.NewHandlers(auth.HandlersConfig{Service: svc, Cookie: cookie})
		require.NoError(t, err)
		cfg.StoreTimeout = 50 * time.Millisecond
		handlers, err := auth.NewHandlers(auth.HandlersConfig{Service: newService(t, cfg), Cookie: cookie})
		require.NoError(t, err)
		tokens, err := svc.Login(t.Context(), auth.Login{Subject: "user"})
		require.NoError(t, err)

		ask := func(h http.Handler) *httptest.ResponseRecorder {
			ctx := t.Context()
			if db.pulled.Load() { // reads wait for as long as the client does
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
			}
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", nil)
			r.AddCookie(&http.Cookie{Name: "__Host-rt", Value: tokens.Refresh})
			r.Header.Set("Authorization", "Bearer "+tokens.Access)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w
		}
		db.pulled.Store(true)
		for name, h := range map[string]http.Handler{
			"refresh": handlers.Refresh(), "logout": handlers.Logout(), "logout all": handlers.LogoutAll(),
		} {
			w := ask(h)
			require.Equal(t, http.StatusServiceUnavailable, w.Code, name)
			require.Equal(t, "1", w.Header().Get("Retry-After"), name)
			require.Empty(t, w.Header()["Set-Cookie"], name)
		}
		db.pulled.Store(false)
		require.Equal(t, http.StatusOK, ask(patient.Refresh()).Code, "nothing was lost")
	})
}

// unplugged is a database that does not answer while pulled is set: its statements run on the real
// one, with a context that has ended by then.
type unplugged struct {
	sqldb.TxDB

	pulled atomic.Bool
}

func (u *unplugged) wait(ctx context.Context) {
	if u.pulled.Load() {
		<-ctx.Done()
	}
}

func (u *unplugged) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	u.wait(ctx)
	return u.TxDB.Exec(ctx, query, args...)
}

func (u *unplugged) Query(ctx context.Context, query string, args ...any) (sqldb.Rows, error) {
	u.wait(ctx)
	return u.TxDB.Query(ctx, query, args...)
}

func (u *unplugged) QueryRow(ctx context.Context, query string, args ...any) sqldb.Row {
	u.wait(ctx)
	return u.TxDB.QueryRow(ctx, query, args...)
}
