package migrations_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/examples/server/migrations"
	"github.com/groundwork-go/groundwork/internal/testdb"
	"github.com/groundwork-go/groundwork/rbac/sqlrbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

// open returns an empty database of the dialect.
func open(t *testing.T, d sqldb.Dialect) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", "file:"+testdb.SQLitePath(t)
	if d == sqldb.DialectPostgres {
		driver, dsn = "pgx", testdb.Postgres(t)
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// columns describes the columns of all tables: "table.column type nullable".
func columns(t *testing.T, db *sql.DB, d sqldb.Dialect) []string {
	t.Helper()
	query := `SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'`
	if d == sqldb.DialectPostgres {
		query = `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns WHERE table_schema = 'public'`
	}
	rows, err := db.QueryContext(context.Background(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	var list []string
	for rows.Next() {
		var column string
		require.NoError(t, rows.Scan(&column))
		list = append(list, column)
	}
	require.NoError(t, rows.Err())
	slices.Sort(list)
	return list
}

func migrated(t *testing.T, d sqldb.Dialect) *sql.DB {
	t.Helper()
	db := open(t, d)
	files, err := migrations.FS(d)
	require.NoError(t, err)
	dialect := goose.DialectSQLite3
	if d == sqldb.DialectPostgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, db, files)
	require.NoError(t, err)
	_, err = provider.Up(context.Background())
	require.NoError(t, err)
	return db
}

// The migrations hold copies of the packages' tables. They have the columns that the packages would
// make today.
func TestCopiesOfPackageTables(t *testing.T) {
	t.Parallel()
	for _, d := range []sqldb.Dialect{sqldb.DialectSQLite, sqldb.DialectPostgres} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			fresh := open(t, d)
			for _, statement := range slices.Concat(
				sqlauth.Statements(sqlauth.Schema(d)), sqlaudit.Statements(d), sqlrbac.Statements(d),
			) {
				_, err := fresh.ExecContext(context.Background(), statement)
				require.NoError(t, err)
			}
			want := columns(t, fresh, d)
			require.NotEmpty(t, want)
			got := columns(t, migrated(t, d), d)
			for _, column := range want {
				require.Contains(t, got, column)
			}
		})
	}
}

// Both databases have the same files, tables and columns.
func TestDialectsAgree(t *testing.T) {
	t.Parallel()
	var names [2][]string
	for i, d := range []sqldb.Dialect{sqldb.DialectSQLite, sqldb.DialectPostgres} {
		files, err := migrations.FS(d)
		require.NoError(t, err)
		names[i], err = fs.Glob(files, "*.sql")
		require.NoError(t, err)
	}
	require.Equal(t, names[0], names[1])

	name := regexp.MustCompile(`^\S+`)
	var tables [2][]string
	for i, d := range []sqldb.Dialect{sqldb.DialectSQLite, sqldb.DialectPostgres} {
		for _, column := range columns(t, migrated(t, d), d) {
			if c := name.FindString(column); !regexp.MustCompile(`^(goose_|sqlite_)`).MatchString(c) {
				tables[i] = append(tables[i], c)
			}
		}
	}
	require.Equal(t, tables[0], tables[1])
}

// Every migration can be taken back.
func TestDown(t *testing.T) {
	t.Parallel()
	for _, d := range []sqldb.Dialect{sqldb.DialectSQLite, sqldb.DialectPostgres} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			db := migrated(t, d)
			files, err := migrations.FS(d)
			require.NoError(t, err)
			dialect := goose.DialectSQLite3
			if d == sqldb.DialectPostgres {
				dialect = goose.DialectPostgres
			}
			provider, err := goose.NewProvider(dialect, db, files)
			require.NoError(t, err)
			_, err = provider.DownTo(context.Background(), 0)
			require.NoError(t, err)
			for _, column := range columns(t, db, d) {
				require.Regexp(t, `^(goose_|sqlite_)`, column, fmt.Sprintf("left behind by a down migration: %s", column))
			}
		})
	}
}

// Every foreign key has an index that begins with its columns: a deleted or updated row would else read
// the whole table that refers to it.
func TestForeignKeysHaveIndexes(t *testing.T) {
	t.Parallel()
	db := migrated(t, sqldb.DialectPostgres)
	rows, err := db.QueryContext(t.Context(), `
SELECT c.conrelid::regclass::text || ' ' || pg_get_constraintdef(c.oid),
       EXISTS (SELECT 1 FROM pg_index AS i
                WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
                  AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
  FROM pg_constraint AS c WHERE c.contype = 'f'`)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	n := 0
	for rows.Next() {
		var key string
		var indexed bool
		require.NoError(t, rows.Scan(&key, &indexed))
		if !indexed {
			t.Errorf("no index for %s", key)
		}
		n++
	}
	require.NoError(t, rows.Err())
	require.Greater(t, n, 10)
}

// The move of the companies to a table without constraints keeps what refers to them, and a short name is
// free once its company is deleted.
func TestCompaniesKeepTheirRows(t *testing.T) {
	t.Parallel()
	for _, d := range []sqldb.Dialect{sqldb.DialectSQLite, sqldb.DialectPostgres} {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			db := open(t, d)
			db.SetMaxOpenConns(1)
			files, err := migrations.FS(d)
			require.NoError(t, err)
			dialect := goose.DialectSQLite3
			if d == sqldb.DialectPostgres {
				dialect = goose.DialectPostgres
			}
			provider, err := goose.NewProvider(dialect, db, files)
			require.NoError(t, err)
			run := func(statement string) {
				t.Helper()
				_, err := db.ExecContext(t.Context(), statement)
				require.NoError(t, err)
			}
			if d == sqldb.DialectSQLite {
				run(`PRAGMA foreign_keys = ON`) // as the server has it
			}
			_, err = provider.UpTo(t.Context(), 8)
			require.NoError(t, err)
			company := func(id string) string {
				return `INSERT INTO companies (id, name, slug, email, primary_colour, secondary_colour, is_active, credits,
					surveys_used, version, created_at, updated_at)
					VALUES ('` + id + `', 'Bright', 'bright', 'office@bright.example', '', '', TRUE, 3, 0, 1,
					'2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z')`
			}
			run(company("c1"))
			run(`INSERT INTO jobs (id, company_id, mode, status, customer_provides_packing, search, version, created_at, updated_at)
				VALUES ('j1', 'c1', 'quote', 'in_progress', FALSE, '', 1, '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z')`)
			_, err = provider.Up(t.Context())
			require.NoError(t, err)
			var n int
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM jobs AS j JOIN companies AS c ON c.id = j.company_id
				WHERE c.search = 'bright bright office@bright.example'`).Scan(&n))
			require.Equal(t, 1, n)
			_, err = db.ExecContext(t.Context(), company("c2"))
			require.Error(t, err)
			run(`UPDATE companies SET deleted_at = '2026-01-02T00:00:00.000000Z' WHERE id = 'c1'`)
			run(company("c2"))
			_, err = db.ExecContext(t.Context(), `UPDATE jobs SET company_id = 'nobody'`)
			require.Error(t, err, "foreign keys are on again")
		})
	}
}
