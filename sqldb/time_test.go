package sqldb_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/sqldb"
)

func TestTimeRoundTripsAndOrders(t *testing.T) {
	t.Parallel()
	base := time.Date(2026, 3, 29, 0, 59, 59, 999_999_999, time.UTC)
	odd := time.FixedZone("half", -(3*3600 + 30*60))
	// In ascending order; zones, fractions and centuries would each upset a naive text order.
	moments := []time.Time{
		time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC),
		time.Date(1883, 11, 18, 12, 3, 58, 0, time.FixedZone("LMT", -17762)),
		time.Unix(0, 0),
		base.In(odd),
		base.Add(time.Microsecond).In(time.FixedZone("east", 14*3600)),
		time.Now(),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
	}
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		ctx := t.Context()
		exec(t, db, `CREATE TABLE moments (n BIGINT PRIMARY KEY, at `+tr.moment()+`, txt TEXT)`)
		for i, at := range slices.Backward(moments) {
			exec(t, db, `INSERT INTO moments (n, at, txt) VALUES ($1, $2, $3)`, i, sqldb.At(at), sqldb.At(at))
		}
		for _, column := range []string{"at", "txt"} {
			rows, err := db.Query(ctx, `SELECT n, `+column+` FROM moments ORDER BY `+column)
			require.NoError(t, err)
			for i, want := range moments {
				var n int
				var at sqldb.Time
				require.True(t, rows.Next())
				require.NoError(t, rows.Scan(&n, &at))
				require.Equal(t, i, n, column)
				require.Equal(t, sqldb.At(want), at)
				require.Equal(t, time.UTC, at.Location())
			}
			require.NoError(t, rows.Close())
		}
		for i, at := range moments {
			var n int
			require.NoError(t, db.QueryRow(ctx, `SELECT n FROM moments WHERE at = $1`, sqldb.At(at)).Scan(&n))
			require.Equal(t, i, n)
			err := db.QueryRow(ctx, `SELECT COUNT(*) FROM moments WHERE at < $1`, sqldb.Time{Time: at}).Scan(&n)
			require.NoError(t, err)
			require.Equal(t, i, n)
		}
		var last sqldb.Time
		require.NoError(t, db.QueryRow(ctx, `SELECT MAX(at) FROM moments`).Scan(&last))
		require.Equal(t, sqldb.At(moments[len(moments)-1]), last)
	})
}

func TestTimeZeroIsNull(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, tr transport, db sqldb.TxDB) {
		ctx := t.Context()
		exec(t, db, `CREATE TABLE moments (n BIGINT, at `+tr.moment()+`)`)
		exec(t, db, `INSERT INTO moments (n, at) VALUES ($1, $2)`, 1, sqldb.Time{})
		exec(t, db, `INSERT INTO moments (n, at) VALUES ($1, $2)`, 2, sqldb.AtPtr(nil))
		exec(t, db, `INSERT INTO moments (n, at) VALUES ($1, $2)`, 3, sqldb.At(time.Now()))
		var n int
		require.NoError(t, db.QueryRow(ctx, `SELECT COUNT(*) FROM moments WHERE at IS NULL`).Scan(&n))
		require.Equal(t, 2, n)
		at := sqldb.At(time.Now())
		require.NoError(t, db.QueryRow(ctx, `SELECT at FROM moments WHERE n = $1`, 1).Scan(&at))
		require.True(t, at.IsZero())
	})
}

func TestTimeConversions(t *testing.T) {
	t.Parallel()
	now := time.Now()
	at := sqldb.At(now)
	require.Equal(t, at, sqldb.AtPtr(&now))
	require.Equal(t, at, sqldb.At(at.Time), "cutting twice changes nothing")
	require.Equal(t, at.Time, *at.Ptr())
	require.Less(t, now.Sub(at.Time), time.Microsecond)
	require.Nil(t, sqldb.Time{}.Ptr())
	require.True(t, sqldb.AtPtr(nil).IsZero())

	value, err := sqldb.At(time.Date(2026, 1, 2, 3, 4, 5, 6_700, time.FixedZone("", 3600))).Value()
	require.NoError(t, err)
	require.Equal(t, "2026-01-02T02:04:05.000006Z", value)
	for _, year := range []int{-1, 0, 10_000} {
		_, err = sqldb.At(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)).Value()
		require.ErrorIs(t, err, sqldb.ErrTime)
	}
}

func TestTimeScan(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC)
	whole := want.Truncate(time.Second)
	tests := []struct {
		name string
		src  any
		want time.Time
	}{
		{"null", nil, time.Time{}},
		{"time", want.In(time.FixedZone("", 7200)), want},
		{"microseconds", want.UnixMicro(), want},
		{"microseconds before 1970", int64(-1), time.Unix(0, -1000).UTC()},
		{"own text", "2026-01-02T03:04:05.678901Z", want},
		{"bytes", []byte("2026-01-02T03:04:05.678901Z"), want},
		{"nanoseconds are cut", "2026-01-02T03:04:05.678901999Z", want},
		{"RFC 3339 with zone", "2026-01-02T05:04:05.678901+02:00", want},
		{"sqlite driver", "2026-01-02 03:04:05.678901+00:00", want},
		{"sqlite CURRENT_TIMESTAMP", "2026-01-02 03:04:05", whole},
		{"no zone", "2026-01-02T03:04:05", whole},
		{"date", "2026-01-02", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)},
		{"postgres", "2026-01-02 03:04:05.678901+00", want},
		{"postgres short fraction", "2026-01-02 03:04:05.6+00", whole.Add(600 * time.Millisecond)},
		{"postgres half hour", "2026-01-02 08:34:05.678901+05:30", want},
		{"postgres west", "2026-01-01 22:04:05.678901-05", want},
		{"postgres historic", "1883-11-18 12:03:58-04:56:02", time.Date(1883, 11, 18, 17, 0, 0, 0, time.UTC)},
		{"go", want.String(), want},
		{"go with monotonic reading", "2026-01-02 03:04:05.678901 +0000 UTC m=+0.000012345", want},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at := sqldb.At(time.Now())
			require.NoError(t, at.Scan(tt.src))
			require.Equal(t, sqldb.Time{Time: tt.want}, at)
		})
	}
}

func TestTimeScanRefuses(t *testing.T) {
	t.Parallel()
	for _, src := range []any{
		"", "yesterday", "infinity", "-infinity", "2026-01-02 BC", "2026-13-01", "2026-02-30 00:00:00",
		"2026-01-02T25:00:00Z", " 2026-01-02", "1767322800", 1.5, true,
		[]byte{0xff},
		int32(1),
	} {
		at := sqldb.At(time.Unix(1, 0))
		require.ErrorIs(t, at.Scan(src), sqldb.ErrTime, "%v", src)
		require.Equal(t, sqldb.At(time.Unix(1, 0)), at, "a failed scan leaves the value alone")
	}
}

func TestTimeInTheFormOfNativePgx(t *testing.T) {
	t.Parallel()
	at := sqldb.At(time.Now())
	value, err := sqldb.Time{Time: at.Add(999 * time.Nanosecond)}.TimestamptzValue()
	require.NoError(t, err)
	require.Equal(t, pgtype.Timestamptz{Time: at.Time, Valid: true}, value)
	value, err = sqldb.Time{}.TimestamptzValue()
	require.NoError(t, err)
	require.False(t, value.Valid)
	for _, year := range []int{-1, 0, 10_000} {
		_, err := sqldb.At(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)).TimestamptzValue()
		require.ErrorIs(t, err, sqldb.ErrTime)
	}

	var got sqldb.Time
	require.NoError(t, got.ScanTimestamptz(pgtype.Timestamptz{Time: at.In(time.FixedZone("", 3600)), Valid: true}))
	require.Equal(t, at, got)
	for _, end := range []pgtype.InfinityModifier{pgtype.Infinity, pgtype.NegativeInfinity} {
		require.ErrorIs(t, got.ScanTimestamptz(pgtype.Timestamptz{InfinityModifier: end, Valid: true}), sqldb.ErrTime)
		require.Equal(t, at, got, "a failed scan leaves the value alone")
	}
	require.NoError(t, got.ScanTimestamptz(pgtype.Timestamptz{}))
	require.True(t, got.IsZero())
}

func FuzzTimeScan(f *testing.F) {
	for _, seed := range []string{
		"2026-01-02T03:04:05.678901Z", "2026-01-02 08:34:05.678901+05:30", "1883-11-18 12:03:58-04:56:02",
		"2026-01-02", "2026-01-02 03:04:05 +0000 UTC m=+0.1", "infinity", "0000-01-01 00:00:00Z", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var at sqldb.Time
		if err := at.Scan(text); err != nil {
			require.ErrorIs(t, err, sqldb.ErrTime)
			require.True(t, at.IsZero())
			return
		}
		value, err := at.Value()
		if err != nil { // a zone can push the text of year 0 or 9999 over the edge
			require.ErrorIs(t, err, sqldb.ErrTime)
			return
		}
		var again sqldb.Time
		require.NoError(t, again.Scan(value))
		require.Equal(t, at, again)
	})
}
