package softdelete

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Check asks the database whether every table and column of the Config exists and whether the
// indexes are there: on (deleted_at, id) for the purge, on the deletion id and the foreign keys
// for cascades, partial unique ones for [Config.Unique], and no plain unique index on the same
// columns, which would keep a deleted row's value from being used again. Run it once at start. The
// error joins a [*ConfigError] for each fault.
func (r *Repository[T, K]) Check(ctx context.Context) error {
	var errs []error
	fault := func(field string, value any, reason string) {
		errs = append(errs, &ConfigError{Field: field, Value: value, Reason: reason})
	}
	columns := slices.Clone(r.columns)
	for _, group := range r.unique {
		columns = append(columns, group...)
	}
	for _, p := range r.parents {
		columns = append(columns, p.foreignKey)
		if err := r.probe(ctx, &p.table); err != nil {
			fault(p.field+".Table", p.name, err.Error())
		}
	}
	if err := r.probe(ctx, &r.root, columns...); err != nil {
		fault("Table", r.root.name, err.Error())
		return errors.Join(errs...)
	}
	have, err := r.indexes(ctx, r.root.name)
	if err != nil {
		return wrap("check", err)
	}
	if !have.lead(r.root.deletedAt, r.root.id) {
		fault("DeletedAt", r.root.deletedAt, "no index begins with it and the id: each purge would read the table")
	}
	if len(r.children) > 0 && !have.lead(r.root.deletionID) {
		fault("DeletionID", r.root.deletionID, "has no index: each cascade would read the table")
	}
	for _, group := range r.unique {
		switch partial, plain := have.unique(group); {
		case plain != "":
			fault("Unique", strings.Join(group, ", "), "index "+plain+" is not partial: it holds the values of deleted rows")
		case partial == "":
			fault("Unique", strings.Join(group, ", "), "has no partial unique index")
		}
	}
	if err := r.checkLevel(ctx, r.children, fault); err != nil {
		return wrap("check", err)
	}
	return errors.Join(errs...)
}

func (r *Repository[T, K]) checkLevel(
	ctx context.Context, children []child, fault func(field string, value any, reason string),
) error {
	for i := range children {
		c := &children[i]
		if err := r.probe(ctx, &c.table, c.foreignKey); err != nil {
			fault(c.field+".Table", c.name, err.Error())
			continue
		}
		have, err := r.indexes(ctx, c.name)
		if err != nil {
			return err
		}
		if !have.lead(c.foreignKey) {
			fault(c.field+".ForeignKey", c.foreignKey, "no index begins with it: each cascade would read the table")
		}
		if c.soft() && !have.lead(c.deletionID) {
			fault(c.field+".DeletionID", c.deletionID, "has no index: each cascade would read the table")
		}
		if err := r.checkLevel(ctx, c.children, fault); err != nil {
			return err
		}
	}
	return nil
}

// probe names every column in a query that reads no row. It runs in a transaction of its own so
// that its failure spoils no other.
func (r *Repository[T, K]) probe(ctx context.Context, t *table, more ...string) error {
	var list []string
	for _, column := range append([]string{t.id, t.deletedAt, t.deletedBy, t.deletionID, t.tenant}, more...) {
		if column != "" {
			list = append(list, t.col(column))
		}
	}
	return r.db.InTx(ctx, func(tx sqldb.DB) error {
		rows, err := tx.Query(ctx, "SELECT "+strings.Join(list, ", ")+" FROM "+t.from()+" WHERE 1 = 0")
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		return errors.Join(rows.Err(), rows.Close())
	})
}

// tableIndex is one index: its columns in order, "" for an expression.
type tableIndex struct {
	name            string
	unique, partial bool
	columns         []string
}

type indexList []tableIndex

// lead says that some index begins with the columns.
func (l indexList) lead(columns ...string) bool {
	return slices.ContainsFunc(l, func(x tableIndex) bool {
		return len(x.columns) >= len(columns) && slices.Equal(x.columns[:len(columns)], columns)
	})
}

// unique returns the names of a partial and of a plain unique index on exactly the columns.
func (l indexList) unique(columns []string) (partial, plain string) {
	want := slices.Sorted(slices.Values(columns))
	for _, x := range l {
		if !x.unique || !slices.Equal(slices.Sorted(slices.Values(x.columns)), want) {
			continue
		}
		if x.partial {
			partial = x.name
		} else {
			plain = x.name
		}
	}
	return partial, plain
}

// SQLite only: its catalogue is read through table-valued pragmas.
const sqliteIndexes = `SELECT l.name, l."unique", l.partial, COALESCE(i.name, '') FROM pragma_index_list($1) AS l, pragma_index_info(l.name) AS i
UNION ALL SELECT 'primary key', 1, 0, p.name FROM pragma_table_info($1) AS p WHERE p.pk = 1
ORDER BY 1`

// PostgreSQL only: the catalogue.
const postgresIndexes = `SELECT c.relname, i.indisunique, i.indpred IS NOT NULL, COALESCE(a.attname, '')
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
CROSS JOIN LATERAL unnest(CAST(i.indkey AS int2[])) WITH ORDINALITY AS k(attnum, place)
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE i.indrelid = to_regclass(CAST($1 AS TEXT)) AND k.place <= i.indnkeyatts AND i.indisvalid
ORDER BY c.relname, k.place`

func (r *Repository[T, K]) indexes(ctx context.Context, name string) (list indexList, err error) {
	query, arg := postgresIndexes, quote(name)
	if sqldb.DialectOf(r.db) == sqldb.DialectSQLite {
		query, arg = sqliteIndexes, name
	}
	rows, err := r.db.Query(ctx, query, arg)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closeErr := rows.Close(); err == nil {
			err = closeErr
		}
	}()
	for rows.Next() {
		var x tableIndex
		var column string
		if err := rows.Scan(&x.name, &x.unique, &x.partial, &column); err != nil {
			return nil, err
		}
		if n := len(list); n > 0 && list[n-1].name == x.name {
			list[n-1].columns = append(list[n-1].columns, column)
			continue
		}
		x.columns = []string{column}
		list = append(list, x)
	}
	return list, rows.Err()
}
