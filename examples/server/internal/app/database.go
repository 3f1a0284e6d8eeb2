package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/groundwork-go/groundwork/examples/server/internal/config"
	"github.com/groundwork-go/groundwork/examples/server/internal/jobs"
	"github.com/groundwork-go/groundwork/examples/server/migrations"
	"github.com/groundwork-go/groundwork/sqldb"
)

const (
	// maxIdleTime closes connections that a quiet hour has left over.
	maxIdleTime = 5 * time.Minute
	// migrationLock is the key of the advisory lock on PostgreSQL: "grndwork" in ASCII.
	migrationLock = 0x67726e64776f726b
)

// database holds the open pools.
type database struct {
	sqldb.TxDB
	dialect  sqldb.Dialect
	write    *sql.DB       // the only pool on PostgreSQL, the writing one on SQLite
	read     *sql.DB       // SQLite only
	listener *pgxpool.Pool // PostgreSQL only: one connection that hears about new jobs
}

// openDatabase opens the pools and waits until the database answers, as long as the configuration
// says. A database that refuses for good, for a wrong password say, is not waited for.
func openDatabase(ctx context.Context, cfg config.Database, logger *slog.Logger) (*database, error) {
	db, err := newPools(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := db.await(ctx, cfg.AcquireTimeout, logger); err != nil {
		return nil, errors.Join(err, db.close())
	}
	if db.dialect == sqldb.DialectSQLite {
		if err := sqldb.CheckSQLite(ctx, db.write); err != nil {
			return nil, errors.Join(fmt.Errorf("app: %w", err), db.close())
		}
	}
	return db, nil
}

// newPools makes the pools without connecting.
func newPools(ctx context.Context, cfg config.Database) (*database, error) {
	if cfg.Dialect == sqldb.DialectPostgres {
		return newPostgres(ctx, cfg)
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o700); err != nil {
		return nil, fmt.Errorf("app: make database folder: %w", err)
	}
	writeDSN, readDSN, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: cfg.Path})
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	write, err := sql.Open("sqlite", writeDSN)
	if err != nil {
		return nil, fmt.Errorf("app: open database: %w", err)
	}
	write.SetMaxOpenConns(1) // SQLite has one writer; a second would only wait and fail
	read, err := sql.Open("sqlite", readDSN)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("app: open database: %w", err), write.Close())
	}
	limit(read, cfg)
	return &database{
		TxDB: sqldb.SQLite(write, read), dialect: sqldb.DialectSQLite, write: write, read: read,
	}, nil
}

func newPostgres(ctx context.Context, cfg config.Database) (*database, error) {
	listenerCfg, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, errors.New("app: DATABASE_URL cannot be read") // the cause may quote the password
	}
	listenerCfg.MaxConns, listenerCfg.MinConns = 1, 0
	pool := stdlib.OpenDB(*listenerCfg.ConnConfig)
	limit(pool, cfg)
	listener, err := pgxpool.NewWithConfig(ctx, listenerCfg)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("app: open listener: %w", err), pool.Close())
	}
	return &database{
		TxDB: sqldb.SQL(pool, sqldb.DialectPostgres), dialect: sqldb.DialectPostgres,
		write: pool, listener: listener,
	}, nil
}

func limit(pool *sql.DB, cfg config.Database) {
	pool.SetMaxOpenConns(cfg.MaxOpen)
	pool.SetMaxIdleConns(cfg.MaxIdle)
	pool.SetConnMaxLifetime(cfg.MaxLifetime)
	pool.SetConnMaxIdleTime(maxIdleTime)
}

func (d *database) await(ctx context.Context, wait time.Duration, logger *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		err := d.ping(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("app: the database did not answer within %s: %w", wait, err)
		}
		if !mayRecover(err) {
			return fmt.Errorf("app: the database refuses: %w", err)
		}
		logger.WarnContext(ctx, "database does not answer yet", "error", err.Error())
		select {
		case <-ctx.Done():
			return fmt.Errorf("app: the database did not answer within %s: %w", wait, err)
		case <-time.After(pause):
		}
	}
}

// mayRecover tells a server that is starting from one that will never have us. Of the SQLSTATE
// classes, 08, 53 and 57 are about the moment.
func mayRecover(err error) bool {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) && len(refusal.Code) == 5 {
		class := refusal.Code[:2]
		return class == "08" || class == "53" || class == "57"
	}
	var malformed *pgconn.ParseConfigError
	if errors.As(err, &malformed) {
		return false
	}
	var connect *pgconn.ConnectError
	return errors.As(err, &connect) || sqldb.IsRetryable(err)
}

func (d *database) ping(ctx context.Context) error {
	if err := d.write.PingContext(ctx); err != nil {
		return err
	}
	var one int
	return d.QueryRow(ctx, `SELECT 1`).Scan(&one)
}

// migrate brings the schema up to date: ours and the queue's. On PostgreSQL one connection holds an
// advisory lock around both, so that replicas may start together; goose's own lock would not cover
// the queue.
func (d *database) migrate(ctx context.Context, logger *slog.Logger) (err error) {
	if d.dialect == sqldb.DialectPostgres {
		// A connection of its own: the lock takes no place in the pool and cannot stay behind in it.
		conn, err := pgx.ConnectConfig(ctx, d.listener.Config().ConnConfig)
		if err != nil {
			return fmt.Errorf("app: migration lock: %w", err)
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // its end frees the lock
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
			return fmt.Errorf("app: migration lock: %w", err)
		}
	}
	files, err := migrations.FS(d.dialect)
	if err != nil {
		return err
	}
	dialect := goose.DialectSQLite3
	if d.dialect == sqldb.DialectPostgres {
		dialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(dialect, d.write, files)
	if err != nil {
		return fmt.Errorf("app: migrate: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("app: migrate: %w", err)
	}
	for _, r := range results {
		logger.InfoContext(ctx, "migrated", "file", filepath.Base(r.Source.Path), "duration", r.Duration)
	}
	return jobs.Migrate(ctx, d.write, d.dialect, logger)
}

// close closes the pools. It may be called more than once.
func (d *database) close() error {
	if d.listener != nil {
		d.listener.Close()
	}
	var errs []error
	if d.read != nil {
		errs = append(errs, d.read.Close())
	}
	return errors.Join(append(errs, d.write.Close())...)
}

// describe names the database for people, without credentials.
func (d *database) describe(cfg config.Database) string {
	if d.dialect == sqldb.DialectSQLite {
		return "SQLite file " + cfg.Path
	}
	parsed, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return "PostgreSQL"
	}
	return "PostgreSQL " + strings.Join([]string{parsed.Host, parsed.Database}, "/")
}

// lazySQLite is a handle that is never used: it opens nothing until asked something.
func lazySQLite() (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:unused")
	if err != nil {
		return nil, fmt.Errorf("app: %w", err)
	}
	return db, nil
}
