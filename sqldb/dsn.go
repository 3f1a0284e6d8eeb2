package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// SQLiteConfig describes a SQLite database file for [SQLiteDSN].
type SQLiteConfig struct {
	// Path of the file, as the operating system writes it. It may contain any character but
	// NUL. Required. Databases in memory are refused: two pools would see two of them.
	Path string

	// BusyTimeout is how long a statement waits for another process's lock. Default 5 seconds;
	// at least 1 millisecond.
	BusyTimeout time.Duration

	// Durable makes each commit reach the disk before it returns (synchronous FULL, for audit
	// trails). Without it a power cut may lose the last commits, never the file (NORMAL).
	Durable bool
}

// ConfigError is one fault of a setting. Errors of this package that report settings contain
// one for each fault; errors.As finds the first.
type ConfigError struct {
	// Field is the setting.
	Field string
	// Value is what it was.
	Value string
	// Reason says what is wrong with it.
	Reason string
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("sqldb: %s %q: %s", e.Field, e.Value, e.Reason)
}

// SQLiteDSN returns the DSNs of modernc.org/sqlite for the two pools of [SQLite]. Limit the
// first to one connection (SetMaxOpenConns(1)); the second refuses writes. Both have foreign
// keys, WAL, a busy timeout and defensive mode, and take a double-quoted word for a column, never
// for text. Writing transactions lock at their start. Open the write pool first: it creates the
// file. The error joins a [*ConfigError] for each fault.
func SQLiteDSN(cfg SQLiteConfig) (write, read string, err error) {
	var faults []error
	fault := func(field, value, reason string) {
		faults = append(faults, &ConfigError{Field: field, Value: value, Reason: reason})
	}
	switch path := cfg.Path; {
	case path == "":
		fault("Path", path, "is required")
	case path == ":memory:":
		fault("Path", path, "a database in memory cannot be shared by two pools; use a temporary file")
	case strings.HasPrefix(path, "file:"):
		fault("Path", path, "must be a path, not a URI")
	case strings.ContainsRune(path, 0):
		fault("Path", path, "contains a NUL byte")
	}
	timeout := cfg.BusyTimeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	if timeout < time.Millisecond {
		fault("BusyTimeout", timeout.String(), "must be at least 1 millisecond")
	}
	if len(faults) > 0 {
		return "", "", errors.Join(faults...)
	}

	synchronous := "NORMAL"
	if cfg.Durable {
		synchronous = "FULL"
	}
	// The order of the keys carries no meaning; it is fixed so that the result can be compared.
	common := "?_busy_timeout=" + strconv.FormatInt(timeout.Milliseconds(), 10) +
		"&_synchronous=" + synchronous +
		"&_foreign_keys=1&_time_format=sqlite&_timezone=UTC&_dqs=0&_defensive=1"
	uri := sqliteURI(cfg.Path) + common
	// The journal mode is a property of the file, and a pool that refuses writes cannot lock.
	return uri + "&_journal_mode=WAL&_txlock=immediate", uri + "&_query_only=1", nil
}

// sqliteURI writes path as a URI in which only SQLite's own percent decoding happens.
func sqliteURI(path string) string {
	path = filepath.ToSlash(path)
	if filepath.VolumeName(path) != "" {
		path = "/" + path
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		// QueryEscape leaves only letters, digits and -_.~ as they are, which holds for the
		// URI reader of SQLite too, except that a space is %20 there.
		parts[i] = strings.ReplaceAll(url.QueryEscape(part), "+", "%20")
	}
	escaped := strings.Join(parts, "/")
	if strings.HasPrefix(escaped, "/") {
		return "file://" + escaped // with an empty authority, a path of //x stays a path
	}
	return "file:" + escaped
}

// CheckSQLite asks the write pool whether its connections are set up as [SQLiteDSN] would: a
// writable connection with foreign keys, a busy timeout and WAL, and not a database in memory on
// several connections. The error joins a [*ConfigError] for each fault. Run it once at start.
func CheckSQLite(ctx context.Context, write *sql.DB) error {
	conn, err := write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("sqldb: check sqlite: %w", err)
	}
	defer func() { _ = conn.Close() }()

	var faults []error
	check := func(pragma, reason string, good func(value string) bool) {
		var value string
		if err := conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&value); err != nil {
			faults = append(faults, fmt.Errorf("sqldb: check sqlite: %s: %w", pragma, err))
		} else if !good(value) {
			faults = append(faults, &ConfigError{Field: pragma, Value: value, Reason: reason})
		}
	}
	is := func(want string) func(string) bool {
		return func(value string) bool { return value == want }
	}
	check("foreign_keys", "must be on: the schemas rely on them", is("1"))
	check("query_only", "must be off on the write pool", is("0"))
	check("busy_timeout", "must be above 0, or locks fail at once", func(value string) bool {
		ms, err := strconv.Atoi(value)
		return err == nil && ms > 0
	})

	var seq int
	var name, file string
	err = conn.QueryRowContext(ctx, "PRAGMA database_list").Scan(&seq, &name, &file)
	switch limit := write.Stats().MaxOpenConnections; {
	case err != nil:
		faults = append(faults, fmt.Errorf("sqldb: check sqlite: database_list: %w", err))
	case file != "":
		check("journal_mode", "must be wal, or readers and the writer lock each other out", is("wal"))
	case limit != 1:
		faults = append(faults, &ConfigError{
			Field: "MaxOpenConns", Value: strconv.Itoa(limit),
			Reason: "must be 1 for a database in memory: each connection may have its own",
		})
	}
	return errors.Join(faults...)
}
