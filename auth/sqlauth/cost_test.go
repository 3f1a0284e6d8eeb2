package sqlauth_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/sqldb"
)

// countingDB counts statements, each of which is one round trip.
type countingDB struct {
	sqldb.TxDB
	n atomic.Int64
}

func (c *countingDB) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	c.n.Add(1)
	return c.TxDB.Exec(ctx, query, args...)
}

func (c *countingDB) Query(ctx context.Context, query string, args ...any) (sqldb.Rows, error) {
	c.n.Add(1)
	return c.TxDB.Query(ctx, query, args...)
}

func (c *countingDB) QueryRow(ctx context.Context, query string, args ...any) sqldb.Row {
	c.n.Add(1)
	return c.TxDB.QueryRow(ctx, query, args...)
}

func (c *countingDB) InTx(ctx context.Context, fn func(tx sqldb.DB) error) error {
	c.n.Add(2) // BEGIN and COMMIT
	return c.TxDB.InTx(ctx, fn)
}

func TestRefreshIsOneStatement(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		db := &countingDB{TxDB: open(t)}
		svc := newService(t, auth.Config{Store: sqlauth.New(db)})
		first, err := svc.Login(t.Context(), auth.Login{Subject: "user"})
		require.NoError(t, err)

		before := db.n.Load()
		_, err = svc.Refresh(t.Context(), first.Refresh)
		require.NoError(t, err)
		require.Equal(t, int64(1), db.n.Load()-before, "rotated")
		before = db.n.Load()
		_, err = svc.Refresh(t.Context(), first.Refresh)
		require.NoError(t, err)
		require.Equal(t, int64(2), db.n.Load()-before, "replayed")
		before = db.n.Load()
		_, err = svc.Refresh(t.Context(), first.Refresh+"A")
		require.ErrorIs(t, err, auth.ErrRefreshInvalid)
		require.Zero(t, db.n.Load()-before, "forged")
	})
}

func TestRefreshAllocations(t *testing.T) {
	// Not parallel: AllocsPerRun counts the allocations of the whole process.
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool allocate")
	}
	pool, err := pgxpool.New(t.Context(), testdb.Postgres(t))
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	db := sqldb.Pgx(pool)
	for _, statement := range statements(sqldb.DialectPostgres) {
		_, err := db.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	svc := newService(t, auth.Config{Store: sqlauth.New(db)})
	tokens, err := svc.Login(t.Context(), auth.Login{Subject: "user", Methods: []string{"pwd"}})
	require.NoError(t, err)
	got := testing.AllocsPerRun(100, func() {
		tokens, err = svc.Refresh(context.Background(), tokens.Refresh)
	})
	require.NoError(t, err)
	require.LessOrEqual(t, got, 56.0)
	t.Logf("refresh: %v allocations", got)
}
