package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
	"gorm.io/plugin/soft_delete"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

func softdeleteGroups() []group {
	const rival = "Floor: gorm v1.31.2 with soft_delete v1.2.1, on database/sql, which keeps the time of the deletion only; " +
		"ours is on pgx itself and also keeps who deleted the row and in which operation. Both use a transaction. "
	of := func(name, about string, contestants func(s *jobTables) []contestant) group {
		return group{
			name: "softdelete: " + name + " on PostgreSQL", about: about, turn: ioTurn, rounds: 31,
			open: func(after func(func())) ([]contestant, error) {
				s, err := openJobs(after)
				if err != nil {
					return nil, err
				}
				return contestants(s), nil
			},
		}
	}
	return []group{
		of("delete one row", rival+"The row by hand is one UPDATE without a transaction around it.", deleting),
		of("restore one row", rival+"Ours brings back what the same operation deleted, so it reads the operation's id with the row and clears it afterwards: "+
			"it writes the row twice, hence the bar.", restoring),
		of("list live rows", "20 of 200,000 rows, newest first, where every second row is deleted. Floor: gorm with soft_delete, without a cursor for the next page; ours has one.", listing),
	}
}

const (
	jobRows  = 200_000
	jobTable = `CREATE TABLE %s (id BIGINT PRIMARY KEY, name TEXT NOT NULL, created_at TIMESTAMPTZ NOT NULL%s)`
	jobFill  = `INSERT INTO %s (id, name, created_at) SELECT i, 'job ' || i, to_timestamp(1600000000 + i) FROM generate_series(1, %d) AS i`
)

// job is a row of the tables, one of which each contestant has to itself. DeletedAt is of the
// rival's.
type job struct {
	ID        int64
	Name      string
	CreatedAt time.Time
	DeletedAt soft_delete.DeletedAt `gorm:"softDelete:milli"`
}

// TableName implements gorm's Tabler.
func (job) TableName() string { return "rival_jobs" }

type jobTables struct {
	ctx  context.Context
	pool *pgxpool.Pool
	db   sqldb.TxDB
	repo *softdelete.Repository[job, int64]
	gorm *gorm.DB
}

func openJobs(after func(func())) (*jobTables, error) {
	address, err := newDatabase(after)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	pool := must(pgxpool.New(ctx, address))
	after(pool.Close)
	s := &jobTables{ctx: ctx, pool: pool, db: sqldb.Pgx(pool), gorm: openGorm(address, after)}
	s.repo = must(softdelete.New(softdelete.Config[job, int64]{
		DB: s.db, Table: "jobs", Columns: []string{"id", "name", "created_at"},
		Scan: func(row pagination.Scanner) (j job, err error) {
			return j, row.Scan(&j.ID, &j.Name, &j.CreatedAt)
		},
	}))
	for table, extra := range map[string]string{"jobs": "", "rival_jobs": ", deleted_at BIGINT NOT NULL DEFAULT 0", "hand_jobs": ", deleted_at TIMESTAMPTZ"} {
		must(s.db.Exec(ctx, fmt.Sprintf(jobTable, table, extra)))
		must(s.db.Exec(ctx, fmt.Sprintf(jobFill, table, jobRows)))
	}
	for _, statement := range slices.Concat(s.repo.Schema(sqldb.DialectPostgres), []string{
		`CREATE INDEX rival_jobs_deleted_at ON rival_jobs (deleted_at, id) WHERE deleted_at <> 0`,
		`CREATE INDEX hand_jobs_deleted_at ON hand_jobs (deleted_at, id) WHERE deleted_at IS NOT NULL`,
		`CREATE INDEX jobs_created_at ON jobs (created_at, id) WHERE deleted_at IS NULL`,
		`CREATE INDEX rival_jobs_created_at ON rival_jobs (created_at, id) WHERE deleted_at = 0`,
	}) {
		must(s.db.Exec(ctx, statement))
	}
	check(s.repo.Check(ctx))
	return s, nil
}

// deleteAll makes every row that the condition names a deleted one, of one operation each.
func (s *jobTables) deleteAll(condition string) {
	for _, statement := range []string{
		`UPDATE jobs SET deleted_at = now(), deleted_by = 'u1', deletion_id = 'd-' || id WHERE ` + condition,
		`UPDATE rival_jobs SET deleted_at = 1700000000000 WHERE ` + condition,
		`UPDATE hand_jobs SET deleted_at = now() WHERE ` + condition,
		`VACUUM ANALYZE jobs`, `VACUUM ANALYZE rival_jobs`, `VACUUM ANALYZE hand_jobs`,
	} {
		must(s.db.Exec(s.ctx, statement))
	}
}

// eachRow calls do with one id after the other, each once.
func eachRow(do func(id int64)) func() {
	id := int64(0)
	return func() {
		if id++; id > jobRows {
			panic("all rows are used up")
		}
		do(id)
	}
}

// mustBeLive makes sure that both see a row as live, or both do not.
func (s *jobTables) mustBeLive(want bool, id int64) {
	_, err := s.repo.Get(s.ctx, id)
	if err != nil && !errors.Is(err, softdelete.ErrNotFound) {
		panic(err)
	}
	rival := s.gorm.First(&job{}, id).Error
	if rival != nil && !errors.Is(rival, gorm.ErrRecordNotFound) {
		panic(rival)
	}
	if (err == nil) != want || (rival == nil) != want {
		panic(fmt.Sprintf("row %d: %v, %v", id, err, rival))
	}
}

func (s *jobTables) byHand(statement string) func(id int64) {
	return func(id int64) {
		if tag := must(s.pool.Exec(s.ctx, statement, time.Now(), id)); tag.RowsAffected() != 1 {
			panic("no row")
		}
	}
}

// one makes sure that gorm has changed one row.
func one(result *gorm.DB) {
	check(result.Error)
	if result.RowsAffected != 1 {
		panic("no row")
	}
}

func deleting(s *jobTables) []contestant {
	s.deleteAll("FALSE")
	s.mustBeLive(true, 1)
	contestants := []contestant{
		{name: "gorm, soft_delete", run: eachRow(func(id int64) { one(s.gorm.Delete(&job{ID: id})) })},
		{name: "softdelete.Repository.Delete", bar: 1, allocs: -1, run: eachRow(func(id int64) { must(s.repo.Delete(s.ctx, id, "u1")) })},
		{name: "by hand", run: eachRow(s.byHand(`UPDATE hand_jobs SET deleted_at = $1 WHERE id = $2 AND deleted_at IS NULL`))},
	}
	for _, c := range contestants {
		c.run()
	}
	s.mustBeLive(false, 1)
	return contestants
}

func restoring(s *jobTables) []contestant {
	s.deleteAll("TRUE")
	s.mustBeLive(false, 1)
	contestants := []contestant{
		{name: "gorm, soft_delete", run: eachRow(func(id int64) {
			one(s.gorm.Unscoped().Model(&job{ID: id}).Where("deleted_at <> 0").Update("deleted_at", 0))
		})},
		{name: "softdelete.Repository.Restore", bar: 2, allocs: -1, run: eachRow(func(id int64) { must(s.repo.Restore(s.ctx, id, "u1")) })},
		{name: "by hand", run: eachRow(s.byHand(`UPDATE hand_jobs SET deleted_at = NULL WHERE id = $2 AND deleted_at < $1`))},
	}
	for _, c := range contestants {
		c.run()
	}
	s.mustBeLive(true, 1)
	return contestants
}

func listing(s *jobTables) []contestant {
	s.deleteAll("id % 2 = 0")
	spec := must(pagination.NewSpec(pagination.Config{
		Sortable:   []pagination.Field{{Name: "created_at", Column: "jobs.created_at", Kind: pagination.Time}},
		TieBreaker: pagination.Field{Name: "id", Column: "jobs.id", Kind: pagination.Int},
		Count:      pagination.CountNone, MaxOffset: -1, Ephemeral: true,
	}))
	ours := func() []job {
		q := must(spec.Parse(must(url.ParseQuery(fmt.Sprintf("sort=-created_at&size=%d", pageSize)))))
		return must(s.repo.List(s.ctx, q)).Items
	}
	rival := func() []job {
		var rows []job
		check(s.gorm.Order("created_at DESC, id DESC").Limit(pageSize).Find(&rows).Error)
		return rows
	}
	for i, row := range rival() {
		if want := int64(jobRows - 1 - 2*i); row.ID != want || ours()[i].ID != want || ours()[i].Name != row.Name {
			panic("the lists differ")
		}
	}
	return []contestant{
		{name: "gorm, soft_delete", run: func() { rival() }},
		{name: "softdelete.Repository.List", bar: 1, allocs: -1, run: func() { ours() }},
	}
}
