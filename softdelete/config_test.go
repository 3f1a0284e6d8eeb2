package softdelete_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

func TestNewReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := softdelete.New(softdelete.Config[job, string]{})
	for _, field := range []string{"DB", "Table", "Columns", "Scan"} {
		require.ErrorContains(t, err, "softdelete: "+field+" ")
	}
	var one *softdelete.ConfigError
	require.ErrorAs(t, err, &one)

	w := &world{t: t, db: recorder{}}
	for field, change := range map[string]func(*softdelete.Config[job, string]){
		"Table":                  func(c *softdelete.Config[job, string]) { c.Table = "jobs j" },
		"ID":                     func(c *softdelete.Config[job, string]) { c.ID = `i"d` },
		"Columns[1]":             func(c *softdelete.Config[job, string]) { c.Columns[1] = "Slug" },
		"DeletedAt":              func(c *softdelete.Config[job, string]) { c.DeletedAt = "-" },
		"DeletedBy":              func(c *softdelete.Config[job, string]) { c.DeletedBy = "id" },
		"DeletionID":             func(c *softdelete.Config[job, string]) { c.DeletionID = "-" },
		"Tenant":                 func(c *softdelete.Config[job, string]) { c.Tenant = "a.b" },
		"Unique[0]":              func(c *softdelete.Config[job, string]) { c.Unique[0] = nil },
		"Parents[0].ForeignKey":  func(c *softdelete.Config[job, string]) { c.Parents = []softdelete.Parent{{Table: "x"}} },
		"Children[0].ForeignKey": func(c *softdelete.Config[job, string]) { c.Children[0].ForeignKey = "" },
		"Children[0].OnPurge":    func(c *softdelete.Config[job, string]) { c.Children[0].OnPurge = 9 },
		"Children[0].Children[0].DeletedAt": func(c *softdelete.Config[job, string]) {
			c.Children[0].DeletedAt = "-"
		},
		"Children[1].Tenant": func(c *softdelete.Config[job, string]) { c.Tenant, c.Children[1].Tenant = "", "x" },
		"Children[0].Children": func(c *softdelete.Config[job, string]) {
			for range 20 {
				c.Children = []softdelete.Child{{Table: "x", ForeignKey: "y", Children: c.Children}}
			}
		},
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			cfg := w.jobsConfig()
			cfg.Children = slices.Clone(cfg.Children)
			change(&cfg)
			_, err := softdelete.New(cfg)
			require.ErrorContains(t, err, "softdelete: "+field)
		})
	}
}

func TestMisspeltNamesAreFoundAtTheStart(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.exec(`CREATE UNIQUE INDEX rooms_slug_plain ON rooms (tenant, slug)`)
		w.add("j")
		require.NoError(t, w.jobs(nil).Check(t.Context()))
		require.NoError(t, w.db.InTx(t.Context(), func(tx sqldb.DB) error { return w.jobs(nil).In(tx).Check(t.Context()) }))
		for wrong, change := range map[string]func(*softdelete.Config[job, string]){
			"jobz":      func(c *softdelete.Config[job, string]) { c.Table = "jobz" },
			"delted_at": func(c *softdelete.Config[job, string]) { c.DeletedAt = "delted_at" },
			"sluk":      func(c *softdelete.Config[job, string]) { c.Columns = []string{"id", "sluk"} },
			"tennant":   func(c *softdelete.Config[job, string]) { c.Tenant = "tennant" },
			"slog":      func(c *softdelete.Config[job, string]) { c.Unique = [][]string{{"slog"}} },
			"jobid":     func(c *softdelete.Config[job, string]) { c.Children[0].ForeignKey = "jobid" },
			"itemz":     func(c *softdelete.Config[job, string]) { c.Children[0].Children[0].Table = "itemz" },
			"parentz": func(c *softdelete.Config[job, string]) {
				c.Parents = []softdelete.Parent{{Table: "parentz", ForeignKey: "slug"}}
			},
			"has no partial unique index": func(c *softdelete.Config[job, string]) { c.Unique = [][]string{{"slug"}} },
			"rooms_slug_plain is not partial": func(c *softdelete.Config[job, string]) {
				c.Table, c.Children, c.Unique = "rooms", nil, [][]string{{"slug", "tenant"}}
			},
			"ForeignKey \"id\"": func(c *softdelete.Config[job, string]) {
				c.Children[2].Table, c.Children[2].ForeignKey = "strangers", "job_id"
				c.Children[1].ForeignKey = "id" // the primary key leads an index, job_id of strangers has none
				c.Children[1].ID = "job_id"
				c.Children = c.Children[2:]
			},
		} {
			r := w.jobs(change)
			err := r.Check(t.Context())
			if strings.HasPrefix(wrong, "ForeignKey") {
				require.ErrorContains(t, err, "each cascade would read the table")
				continue
			}
			var fault *softdelete.ConfigError
			require.ErrorAs(t, err, &fault, wrong)
			require.ErrorContains(t, err, wrong)
		}
		// Should somebody skip the check, the statement fails. On SQLite a bare DSN would take the
		// name, standing alone, for a text that is not NULL, and purge everything.
		r := w.jobs(func(c *softdelete.Config[job, string]) { c.DeletedAt, c.Children = "delted_at", nil })
		before := w.dump()
		for _, err := range []error{
			second(r.PurgeExpired(t.Context(), everyAge())), second(r.Purge(t.Context(), "j", "u")),
			second(r.Delete(t.Context(), "j", "u")), second(r.Restore(t.Context(), "j", "u")), second(r.Count(t.Context())),
		} {
			require.ErrorContains(t, err, "delted_at")
		}
		require.Equal(t, before, w.dump())
		w.exec(`DROP INDEX jobs_deleted_at`)
		require.ErrorContains(t, w.jobs(nil).Check(t.Context()), "each purge would read the table")
	})
}

func TestSchema(t *testing.T) {
	t.Parallel()
	w := &world{t: t, db: recorder{}}
	r := w.jobs(func(c *softdelete.Config[job, string]) {
		c.Table = strings.Repeat("j", 60)
		c.Children, c.DeletedBy = nil, "-"
	})
	require.Nil(t, r.Schema(0))
	list := r.Schema(sqldb.DialectPostgres)
	require.Len(t, list, 5)
	name := regexp.MustCompile(`INDEX "(\w+)"`)
	seen := map[string]bool{}
	for _, statement := range list[2:] {
		index := name.FindStringSubmatch(statement)[1]
		require.LessOrEqual(t, len(index), 63)
		require.False(t, seen[index])
		seen[index] = true
	}
}

// recorder is a DB that keeps the texts and answers nothing.
type recorder struct{ *recording }

type recording struct {
	mu    sync.Mutex
	texts []string
	inner sqldb.DB
}

func (r recorder) note(query string) sqldb.DB {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, query)
	return r.inner
}

func (r recorder) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return r.note(query).Exec(ctx, query, args...)
}

func (r recorder) Query(ctx context.Context, query string, args ...any) (sqldb.Rows, error) {
	return r.note(query).Query(ctx, query, args...)
}

func (r recorder) QueryRow(ctx context.Context, query string, args ...any) sqldb.Row {
	return r.note(query).QueryRow(ctx, query, args...)
}

func (r recorder) InTx(_ context.Context, fn func(tx sqldb.DB) error) error { return fn(r) }

var (
	number     = regexp.MustCompile(`\$(\d+)`)
	forbidden  = regexp.MustCompile(`(?i)\bILIKE\b|\bANY\b|::|\bFOR UPDATE\b|\bnow\(|;|\bUSING\b`)
	quotedName = regexp.MustCompile(`(\S*)"(\w+)"(\S*)`)
)

// Every statement that the package can build numbers its placeholders in order, uses nothing that
// one database lacks, and writes no quoted name alone where a condition could take it for a text.
func TestStatementsKeepTheRules(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		plainDB := w.db
		all := &recording{}
		require.NoError(t, plainDB.InTx(t.Context(), func(tx sqldb.DB) error {
			all.inner = tx
			w.db = recorder{all}
			r, rooms := w.jobs(nil), w.rooms()
			for _, id := range []string{"j", "k"} {
				w.add(id)
				_, err := r.Delete(t.Context(), id, "u")
				require.NoError(t, err)
				_, err = r.Restore(t.Context(), id, "u")
				require.NoError(t, err)
			}
			require.NoError(t, r.Hold(t.Context(), "j"))
			_, err := rooms.Delete(t.Context(), "j1", "u")
			require.NoError(t, err)
			_, err = rooms.Restore(t.Context(), "j1", "u")
			require.NoError(t, err)
			require.NotEmpty(t, w.walk(r))
			_, err = r.DeleteMany(t.Context(), []string{"j", "k"}, "u")
			require.NoError(t, err)
			_, err = r.Purge(t.Context(), "j", "u")
			require.NoError(t, err)
			w.advance(31 * day)
			_, err = r.PurgeExpired(t.Context(), softdelete.PurgeOptions{DryRun: true})
			require.NoError(t, err)
			_, err = r.PurgeExpired(t.Context(), softdelete.PurgeOptions{Batch: 1})
			return err
		}))
		w.db = plainDB
		require.Greater(t, len(all.texts), 50)
		for _, text := range all.texts {
			if strings.HasPrefix(text, "INSERT") {
				continue // of the test
			}
			last := 0
			for _, match := range number.FindAllStringSubmatch(text, -1) {
				n, _ := strconv.Atoi(match[1])
				require.LessOrEqual(t, n, last+1, text)
				last = max(last, n)
			}
			require.NotRegexp(t, forbidden, text)
			// Names that may stand alone: tables, and the targets of SET.
			rest := regexp.MustCompile(`(FROM|UPDATE|JOIN) "\w+"|"\w+" AS `).ReplaceAllString(text, "")
			rest = regexp.MustCompile(`(SET|,) "\w+" = (\$\d+|NULL)`).ReplaceAllString(rest, "")
			rest = regexp.MustCompile(`(SET|,) "\w+" = (\$\d+|NULL)`).ReplaceAllString(rest, "")
			for _, match := range quotedName.FindAllStringSubmatch(rest, -1) {
				require.Contains(t, match[0], ".", "%s in %s", match[0], text)
			}
		}
	})
}

func FuzzIdentifiers(f *testing.F) {
	for _, seed := range []string{
		"jobs", "_x9", "", "-", "Jobs", "jobs j", `jobs"`, "jobs;drop table x", "jobs--", "jobs.id", "9a", "j\x00b", "jöbs",
		"ｊobs", "jobs\n", strings.Repeat("a", 63), strings.Repeat("a", 64),
	} {
		f.Add(seed)
	}
	plain := regexp.MustCompile(`\A[a-z_][a-z0-9_]{0,62}\z`)
	f.Fuzz(func(t *testing.T, name string) {
		all := &recording{}
		w := &world{t: t, db: recorder{all}}
		cfg := w.jobsConfig()
		cfg.Table, cfg.Columns, cfg.Tenant = name, []string{name}, ""
		cfg.Unique, cfg.Children = nil, []softdelete.Child{{Table: name, ForeignKey: name, Tenant: "-"}}
		r, err := softdelete.New(cfg)
		if plain.MatchString(name) != (err == nil) {
			if _, role := strings.CutPrefix(name, "delet"); !role && name != "id" {
				t.Fatalf("%q: %v", name, err)
			}
			return
		}
		if err != nil {
			var fault *softdelete.ConfigError
			require.True(t, errors.As(err, &fault))
			return
		}
		for _, statement := range r.Schema(sqldb.DialectSQLite) {
			require.NotContains(t, statement, ";")
			require.Zero(t, strings.Count(statement, `"`)%2)
		}
		// An alias is not checked but quoted, so it cannot leave its quotes.
		where := r.Where(softdelete.Live, name+`"`)
		require.Equal(t, `"`+name+`"""."deleted_at" IS NULL`, where)
	})
}

func TestPurger(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.add("j")
		r := w.jobs(nil)
		_, err := r.Delete(t.Context(), "j", "u")
		require.NoError(t, err)
		broken := w.jobs(func(c *softdelete.Config[job, string]) { c.Table, c.Children = "missing", nil })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var passes []string
		var rests []time.Duration
		p, err := softdelete.NewPurger(softdelete.PurgerConfig{
			Targets: []softdelete.Purgeable{broken, r.AllTenants()},
			OnPass: func(_ context.Context, table string, res softdelete.PurgeResult, err error) {
				passes = append(passes, table+" "+strconv.FormatInt(res.Rows, 10)+" "+strconv.FormatBool(err == nil))
			},
			Sleep: func(ctx context.Context, d time.Duration) error {
				rests = append(rests, d)
				w.advance(16 * day)
				if len(rests) == 3 {
					cancel()
				}
				return ctx.Err()
			},
		})
		require.NoError(t, err)
		require.ErrorIs(t, p.Run(ctx), context.Canceled)
		require.Equal(t, []string{
			"missing 0 false", "jobs 0 true", "missing 0 false", "jobs 0 true", "missing 0 false", "jobs 1 true",
		}, passes)
		require.Equal(t, []time.Duration{day, day, day}, rests)
		require.ErrorContains(t, p.Once(t.Context()), "missing")
		require.ErrorIs(t, p.Once(ctx), context.Canceled)
		require.ErrorIs(t, p.Run(ctx), context.Canceled)
	})
}

func TestNewPurgerReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := softdelete.NewPurger(softdelete.PurgerConfig{Every: -1, Options: softdelete.PurgeOptions{Batch: -1}})
	for _, field := range []string{"Targets", "Every", "Batch"} {
		require.ErrorContains(t, err, field)
	}
	_, err = softdelete.NewPurger(softdelete.PurgerConfig{Targets: []softdelete.Purgeable{nil}})
	require.ErrorContains(t, err, "Targets[0]")
}

func TestWords(t *testing.T) {
	t.Parallel()
	require.Equal(t, "live", softdelete.Live.String())
	require.Equal(t, "with deleted", softdelete.WithDeleted.String())
	require.Equal(t, "only deleted", softdelete.OnlyDeleted.String())
	require.Equal(t, "unknown", softdelete.Scope(9).String())
	many := &softdelete.ManyError[int]{NotFound: []int{1}}
	require.Equal(t, "softdelete: 1 not found, 0 already deleted", many.Error())
	require.NotErrorIs(t, many, softdelete.ErrAlreadyDeleted)
}
