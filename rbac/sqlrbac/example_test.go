package sqlrbac_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite"

	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/rbac/sqlrbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

// With PostgreSQL only the opening differs: sqldb.Pgx(pool), or sqldb.SQL over database/sql.
func ExampleNew() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "rbac")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	dsn, _, err := sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: filepath.Join(dir, "app.db")})
	if err != nil {
		panic(err)
	}
	handle, err := sql.Open("sqlite", dsn)
	if err != nil {
		panic(err)
	}
	defer handle.Close()
	handle.SetMaxOpenConns(1)
	db := sqldb.SQL(handle, sqldb.DialectSQLite)
	for _, statement := range sqlrbac.Statements(sqldb.DialectSQLite) { // in your migrations
		if _, err := db.Exec(ctx, statement); err != nil {
			panic(err)
		}
	}

	store := sqlrbac.New(db)
	version, err := store.PutRole(ctx, rbac.Role{Name: "user", Grants: []string{"area:read"}}, rbac.Guard{})
	fmt.Println("version", version, err)
	err = store.Assign(ctx, rbac.Assignment{Subject: "ann", Role: rbac.RoleID{Name: "user"}}, rbac.Guard{})
	fmt.Println("assigned", err)

	registry := rbac.NewRegistry()
	read := registry.MustDefine("area:read", "See areas.")
	checker, err := rbac.New(rbac.Config{Registry: registry, Store: store})
	if err != nil {
		panic(err)
	}
	subject, err := checker.Subject(ctx, "", "ann")
	fmt.Println("may read", subject.Can(read), err)

	_, err = store.PutRole(ctx, rbac.Role{Name: "user"}, rbac.Guard{Version: 1})
	fmt.Println("written at an old version", errors.Is(err, rbac.ErrConflict))
	_, err = store.DeleteRole(ctx, rbac.RoleID{Name: "user"}, time.Now(), rbac.Guard{})
	fmt.Println("deleted in use", errors.Is(err, rbac.ErrRoleInUse))
	// Output:
	// version 2 <nil>
	// assigned <nil>
	// may read true <nil>
	// written at an old version true
	// deleted in use true
}
