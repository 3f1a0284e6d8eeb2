package main

import (
	"context"
	"time"

	"github.com/pilagod/gorm-cursor-paginator/v2/cursor"
	"github.com/pilagod/gorm-cursor-paginator/v2/paginator"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// openGorm opens a database as gorm's own documentation does, on pgx. There are no tables of its
// on SQLite: one of its drivers registers the name that modernc.org/sqlite has taken in this
// process, the other needs a C compiler.
func openGorm(address string, after func(func())) *gorm.DB {
	db := must(gorm.Open(postgres.Open(address), &gorm.Config{Logger: logger.Discard}))
	pool := must(db.DB())
	after(func() { _ = pool.Close() })
	return db.WithContext(context.Background())
}

// feedRow is a row of the feed as gorm sees it.
type feedRow struct {
	ID        int64
	CreatedAt time.Time
	Body      string
}

// TableName implements gorm's Tabler.
func (feedRow) TableName() string { return "feed" }

// gormPages returns a call that reads the page after a row of the feed.
func gormPages(db *gorm.DB, after int64, tuples paginator.Flag) func() []feedRow {
	var row feedRow
	check(db.First(&row, after).Error)
	token := must(cursor.NewEncoder([]cursor.EncoderField{{Key: "CreatedAt"}, {Key: "ID"}}).Encode(&row))
	return func() []feedRow {
		p := paginator.New(&paginator.Config{
			Keys: []string{"CreatedAt", "ID"}, Limit: pageSize, Order: paginator.DESC, After: token, AllowTupleCmp: tuples,
		})
		var rows []feedRow
		result, next, err := p.Paginate(db, &rows)
		check(err)
		check(result.Error)
		if len(rows) != pageSize || next.After == nil {
			panic("a short page")
		}
		return rows
	}
}
