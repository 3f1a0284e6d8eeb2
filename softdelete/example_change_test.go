package softdelete_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

// The audit entry of a deletion commits with it, or neither does.
func ExampleConfig_onChange() {
	db, _, done := newExample()
	defer done()
	ctx := context.Background()
	for _, statement := range sqlaudit.Statements(sqldb.DialectSQLite) { // usually in a migration
		if _, err := db.Exec(ctx, statement); err != nil {
			log.Fatal(err)
		}
	}
	trail, err := audit.New(audit.Config{Sink: sqlaudit.On(db)})
	if err != nil {
		log.Fatal(err)
	}
	cfg := exampleConfig(db)
	cfg.OnChange = func(ctx context.Context, tx sqldb.DB, c softdelete.Change[job, string]) error {
		var events []audit.Event
		for _, id := range c.IDs {
			events = append(events, audit.Event{
				Action: "job." + string(c.Kind), Entity: audit.Entity{Type: "job", ID: id},
				Actor: audit.Actor{Type: audit.ActorUser, ID: c.By},
			})
		}
		return trail.LogTo(ctx, sqlaudit.On(tx), events...)
	}
	repo, err := softdelete.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := repo.For("acme").Delete(ctx, "j1", "user-7"); err != nil {
		log.Fatal(err)
	}
	var action, actor string
	err = db.QueryRow(ctx, `SELECT action, actor_id FROM audit_events WHERE entity_id = 'j1'`).Scan(&action, &actor)
	fmt.Println(action, "by", actor, err)
	// Output: job.deleted by user-7 <nil>
}

// A purger removes what is older than the retention, once a day.
func ExamplePurger() {
	db, _, done := newExample()
	defer done()
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	cfg := exampleConfig(db)
	cfg.Retention = 7 * 24 * time.Hour
	cfg.Now = func() time.Time { return now }
	repo, err := softdelete.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	_, _ = repo.For("acme").Delete(context.Background(), "j1", "user-7")
	purger, err := softdelete.NewPurger(softdelete.PurgerConfig{
		Targets: []softdelete.Purgeable{repo.AllTenants()},
		OnPass: func(_ context.Context, table string, res softdelete.PurgeResult, err error) {
			fmt.Println(table, res.Rows, res.Children, err)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = purger.Once(context.Background()) // Run does it again and again
	now = now.AddDate(0, 0, 8)
	_ = purger.Once(context.Background())
	// Output:
	// jobs 0 [] <nil>
	// jobs 1 [{rooms 2}] <nil>
}
