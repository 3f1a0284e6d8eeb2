package sqlauth_test

import (
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/authtest"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

// statements makes the tables.
func statements(d sqldb.Dialect) []string {
	return sqlauth.Statements(sqlauth.Schema(d) + sqlauth.OneTimeSchema(d))
}

func transports(t *testing.T, run func(t *testing.T, open func(t *testing.T) sqldb.TxDB)) {
	testdb.EachTransport(t, statements, run)
}

func newService(t *testing.T, cfg auth.Config) *auth.Service {
	t.Helper()
	key, err := auth.NewHMACKey("k1", []byte("a secret that is long enough here"))
	require.NoError(t, err)
	cfg.Keys, err = auth.NewKeySet(auth.KeySetConfig{Active: key})
	require.NoError(t, err)
	cfg.RefreshKeys, err = auth.NewRefreshKeys([]byte("another secret that is long enough"))
	require.NoError(t, err)
	cfg.Issuer, cfg.Audience = "iss", []string{"aud"}
	svc, err := auth.New(cfg)
	require.NoError(t, err)
	return svc
}

func TestStatements(t *testing.T) {
	t.Parallel()
	for _, d := range []sqldb.Dialect{sqldb.DialectPostgres, sqldb.DialectSQLite} {
		require.Len(t, statements(d), 10, d)
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		store := func(t *testing.T) auth.Store { return sqlauth.New(open(t)) }
		authtest.TestStore(t, store)
		authtest.TestService(t, store)
	})
}

func TestDenylist(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		authtest.TestDenylist(t, func(t *testing.T) auth.Denylist { return sqlauth.NewDenylist(open(t)) })
	})
}

func TestOneTime(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		authtest.TestOneTimeStore(t, false, func(t *testing.T) auth.OneTimeStore { return sqlauth.NewOneTime(open(t)) })
	})
}

func TestDenylistDeletesWhatHasEnded(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		d := sqlauth.NewDenylist(open(t))
		end := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		require.NoError(t, d.Deny(t.Context(), end, "s:1", "s:2", "s:3"))
		require.NoError(t, d.Deny(t.Context(), end.Add(time.Microsecond), "s:4"))
		for _, want := range []int{2, 1, 0} {
			n, err := d.DeleteExpired(t.Context(), end, 2)
			require.NoError(t, err)
			require.Equal(t, want, n)
		}
		denied, err := d.Denied(t.Context(), "s:1", "s:2", "s:3")
		require.NoError(t, err)
		require.False(t, denied)
		denied, err = d.Denied(t.Context(), "s:4")
		require.NoError(t, err)
		require.True(t, denied)
	})
}

func TestSweepForgetsSubjects(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		db := open(t)
		store := sqlauth.New(db)
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		_, err := store.Create(t.Context(), auth.Record{Session: auth.Session{
			ID: "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f", Subject: "user", AuthTime: now, CreatedAt: now,
			LastUsedAt: now, IdleExpiresAt: now, ExpiresAt: now,
		}}, 5)
		require.NoError(t, err)
		n, err := store.DeleteExpired(t.Context(), now, 10)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		var left int
		require.NoError(t, db.QueryRow(t.Context(), "SELECT COUNT(*) FROM auth_subjects").Scan(&left))
		require.Zero(t, left)
	})
}

func TestMethodsAreKeptAsGiven(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		db := open(t)
		svc := newService(t, auth.Config{Store: sqlauth.New(db)})
		for _, methods := range [][]string{nil, {"pwd"}, {"pwd", "otp"}, {`a","b`}, {`"`, `\`, "<é>", `["`, `"]`}} {
			tokens, err := svc.Login(t.Context(), auth.Login{Subject: "user", Methods: methods})
			require.NoError(t, err)
			tokens, err = svc.Refresh(t.Context(), tokens.Refresh)
			require.NoError(t, err)
			require.Equal(t, methods, tokens.Session.Methods)
			ses, err := svc.Session(t.Context(), tokens.Session.ID)
			require.NoError(t, err)
			require.Equal(t, methods, ses.Methods)
		}
		tokens, err := svc.Login(t.Context(), auth.Login{Subject: "user"})
		require.NoError(t, err)
		set := func(text string) {
			_, err = db.Exec(t.Context(), `UPDATE auth_sessions SET methods = $1 WHERE id = $2`, text, tokens.Session.ID)
			require.NoError(t, err)
		}
		for text, want := range map[string][]string{
			`[ "pwd", "otp" ]`: {"pwd", "otp"}, `["pwd", "otp"]`: {"pwd", "otp"}, `[]`: {},
		} {
			set(text)
			ses, err := svc.Session(t.Context(), tokens.Session.ID)
			require.NoError(t, err)
			require.Equal(t, want, ses.Methods, "a row written by hand")
		}
		set(`["`)
		_, err = svc.Refresh(t.Context(), tokens.Refresh)
		require.ErrorIs(t, err, auth.ErrUnavailable, "a damaged row")
	})
}

func TestSchemaOfUnknownDialect(t *testing.T) {
	t.Parallel()
	require.Empty(t, sqlauth.Schema(0))
	require.Empty(t, sqlauth.OneTimeSchema(0))
	require.Empty(t, sqlauth.Statements(""))
}
