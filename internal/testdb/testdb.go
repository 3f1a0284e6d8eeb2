// Package testdb gives each test a database of its own.
package testdb

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres creates an empty database on the server that TEST_POSTGRES_URL names, drops it when
// the test ends and returns its URL. Without the variable the test is skipped, or fails when
// TEST_REQUIRE_SERVICES is 1.
func Postgres(t testing.TB) string {
	t.Helper()
	return create(t, "")
}

// PostgresFrom is Postgres with the content of the database that template names. Nobody may be
// connected to the template.
func PostgresFrom(t testing.TB, template string) string {
	t.Helper()
	return create(t, template)
}

// SQLitePath returns the path of a file that does not exist yet, in a folder that is removed
// when the test ends.
func SQLitePath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "test.db")
}

func create(t testing.TB, template string) string {
	t.Helper()
	base := os.Getenv("TEST_POSTGRES_URL")
	if base == "" {
		if os.Getenv("TEST_REQUIRE_SERVICES") == "1" {
			t.Fatal("TEST_POSTGRES_URL is not set and TEST_REQUIRE_SERVICES is 1")
		}
		t.Skip("TEST_POSTGRES_URL is not set")
	}
	target, err := url.Parse(base)
	if err != nil {
		t.Fatal("TEST_POSTGRES_URL is not a URL")
	}
	name := "groundwork_test_" + strings.ToLower(rand.Text()[:16])
	statement := "CREATE DATABASE " + name
	if template != "" {
		statement += " TEMPLATE " + template
	}
	exec(t, base, statement)
	t.Cleanup(func() { exec(t, base, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	target.Path = "/" + name
	return target.String()
}

func exec(t testing.TB, dsn, statement string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("testdb: connect: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Fatalf("testdb: %v", err)
	}
}
