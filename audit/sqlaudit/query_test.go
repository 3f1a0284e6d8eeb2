package sqlaudit_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

func listSpec(t testing.TB) *pagination.Spec {
	t.Helper()
	list := sqlaudit.ListConfig()
	list.Ephemeral = true
	spec, err := pagination.NewSpec(list)
	require.NoError(t, err)
	return spec
}

// mixed logs 24 events that differ in everything a filter knows.
func mixed(t testing.TB, o *opened) {
	t.Helper()
	n := 0
	o.log(t, 24, func(e *audit.Event) {
		pick := func(field *string, values ...string) { *field = values[n%len(values)] }
		pick(&e.Tenant, "t1", "t2", "")
		pick(&e.Actor.Type, "user", "system")
		pick(&e.Actor.ID, "u1", "u2", "u3", "u4")
		pick(&e.Action, "create", "update")
		pick(&e.Entity.Type, "area", "user", "job")
		pick(&e.Entity.ID, "1", "2", "3", "4", "5", "6")
		pick(&e.Request.ID, "r1", "", "r3")
		pick(&e.Request.SessionID, "s1", "s2")
		pick(&e.Request.IP, "10.0.0.1", "10.0.0.2", "10.0.0.3")
		e.Actor.Tenant = ""
		e.Outcome = []audit.Outcome{audit.Success, audit.Failure, audit.Denied}[n%3]
		e.Class = []audit.Class{audit.Normal, audit.Critical}[n%2]
		n++
	})
}

// Every filter alone and all pairs of them, in Go and as parameters; a naive filter in Go
// is the judge. Time ranges are half open, and a tenant sees only its own.
func TestQueryFilters(t *testing.T) {
	t.Parallel()
	from, to := epoch.Add(5*time.Second), epoch.Add(20*time.Second)
	type filter struct {
		param string
		set   func(f *sqlaudit.Filter)
		match func(e *audit.Event) bool
	}
	filters := []filter{
		{"actor_type=user", func(f *sqlaudit.Filter) { f.ActorType = "user" }, func(e *audit.Event) bool { return e.Actor.Type == "user" }},
		{"actor_id=u2", func(f *sqlaudit.Filter) { f.ActorID = "u2" }, func(e *audit.Event) bool { return e.Actor.ID == "u2" }},
		{"action=update", func(f *sqlaudit.Filter) { f.Action = "update" }, func(e *audit.Event) bool { return e.Action == "update" }},
		{"entity_type=area", func(f *sqlaudit.Filter) { f.EntityType = "area" }, func(e *audit.Event) bool { return e.Entity.Type == "area" }},
		{"entity_id=4", func(f *sqlaudit.Filter) { f.EntityID = "4" }, func(e *audit.Event) bool { return e.Entity.ID == "4" }},
		{"outcome=denied", func(f *sqlaudit.Filter) { f.Outcome = audit.Denied }, func(e *audit.Event) bool { return e.Outcome == audit.Denied }},
		{"class=critical", func(f *sqlaudit.Filter) { f.Class = audit.Critical }, func(e *audit.Event) bool { return e.Class == audit.Critical }},
		{"request_id=r1", func(f *sqlaudit.Filter) { f.RequestID = "r1" }, func(e *audit.Event) bool { return e.Request.ID == "r1" }},
		{"session_id=s2", func(f *sqlaudit.Filter) { f.SessionID = "s2" }, func(e *audit.Event) bool { return e.Request.SessionID == "s2" }},
		{"ip=10.0.0.2", func(f *sqlaudit.Filter) { f.IP = "10.0.0.2" }, func(e *audit.Event) bool { return e.Request.IP == "10.0.0.2" }},
		{"from=" + from.Format(time.RFC3339Nano), func(f *sqlaudit.Filter) { f.From = from }, func(e *audit.Event) bool { return !e.At.Before(from) }},
		{"to=" + to.Format(time.RFC3339Nano), func(f *sqlaudit.Filter) { f.To = to }, func(e *audit.Event) bool { return e.At.Before(to) }},
	}
	onEach(t, func(t *testing.T, o *opened) {
		mixed(t, o)
		all := o.events(t)
		require.Len(t, all, 24)
		spec := listSpec(t)
		check := func(name string, f sqlaudit.Filter, params string, match func(e *audit.Event) bool) {
			values, err := url.ParseQuery(params)
			require.NoError(t, err)
			q, err := spec.Parse(values, f.Tenant)
			require.NoError(t, err)
			page, err := o.store.Query(ctx, f, q)
			require.NoError(t, err)
			want := []audit.Event{}
			for i := len(all) - 1; i >= 0; i-- {
				if (f.AllTenants || all[i].Tenant == f.Tenant) && match(&all[i]) {
					want = append(want, all[i])
				}
			}
			require.Equal(t, want, page.Items, name)
			require.Equal(t, int64(len(want)), *page.Total, name)
		}
		for _, tenant := range []string{"t1", "t2", "", "t3"} {
			check("tenant", sqlaudit.Filter{Tenant: tenant}, "", func(*audit.Event) bool { return true })
		}
		for i, a := range filters {
			f := sqlaudit.Filter{AllTenants: true}
			check(a.param, f, a.param, a.match)
			a.set(&f)
			check(a.param, f, "", a.match)
			for _, b := range filters[i+1:] {
				both := func(e *audit.Event) bool { return a.match(e) && b.match(e) }
				check(a.param+b.param, f, b.param, both)
				g := f
				b.set(&g)
				check(a.param+b.param, g, "", both)
			}
		}
	})
}

func TestQueryPagesByCursor(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		o.log(t, 23, func(e *audit.Event) { e.At = epoch }) // all at one time
		spec := listSpec(t)
		var seen []string
		for cursor := ""; ; {
			values := url.Values{"size": {"5"}}
			if cursor != "" {
				values.Set("cursor", cursor)
			}
			q, err := spec.Parse(values, "t1")
			require.NoError(t, err)
			page, err := o.store.Query(ctx, sqlaudit.Filter{Tenant: "t1"}, q)
			require.NoError(t, err)
			for _, e := range page.Items {
				seen = append(seen, e.ID)
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
			_, err = spec.Parse(url.Values{"cursor": {cursor}}, "t2")
			require.ErrorIs(t, err, pagination.ErrInvalidCursor, "the cursor belongs to its tenant")
		}
		require.Len(t, seen, 23)
		for i := 1; i < len(seen); i++ {
			require.Greater(t, seen[i-1], seen[i])
		}
		_, err := o.store.Query(ctx, sqlaudit.Filter{}, pagination.Query{})
		require.ErrorIs(t, err, pagination.ErrZeroQuery)
	})
}

// An export holds every event in both formats, disarms formulas and stops at a broken writer.
func TestExport(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		mixed(t, o)
		require.NoError(t, o.trail.Log(ctx, audit.Event{
			At: epoch.Add(time.Hour), Action: "=cmd|' /C calc'!A0", Reason: "+1", Tenant: "t1",
			Actor: audit.Actor{Type: "user", ID: "-1", Name: "@SUM(1)"}, Entity: audit.Entity{Type: "'quoted", ID: "a,\"b\""},
			Data: map[string]any{"text": "line\nline", "n": json.Number("1.50")},
		}))
		all := o.events(t)
		f := sqlaudit.Filter{AllTenants: true}

		var lines bytes.Buffer
		n, err := o.store.Export(ctx, f, &lines, sqlaudit.JSONL)
		require.NoError(t, err)
		require.Equal(t, int64(25), n)
		dec := json.NewDecoder(&lines)
		dec.UseNumber()
		for _, want := range all {
			var got audit.Event
			require.NoError(t, dec.Decode(&got))
			require.Equal(t, want, got)
		}

		var sheet bytes.Buffer
		n, err = o.store.Export(ctx, f, &sheet, sqlaudit.CSV)
		require.NoError(t, err)
		require.Equal(t, int64(25), n)
		rows, err := csv.NewReader(&sheet).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 26)
		column := map[string]int{}
		for i, name := range rows[0] {
			column[name] = i
		}
		for i, want := range all {
			get := func(name string) string { return strings.TrimPrefix(rows[i+1][column[name]], "'") }
			require.Equal(t, want.ID, get("id"))
			require.Equal(t, want.At.Format(sqldb.TimeLayout), get("at"))
			require.Equal(t, want.Action, get("action"))
			require.Equal(t, want.Actor.Name, get("actor_name"))
			require.Equal(t, want.Entity.Type, get("entity_type"))
			require.Equal(t, want.Entity.ID, get("entity_id"))
			require.Equal(t, fmt.Sprint(want.Truncated), get("truncated"))
			for _, cell := range rows[i+1] {
				require.False(t, cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])), cell)
			}
		}
		require.Equal(t, "''quoted", rows[25][column["entity_type"]])

		n, err = o.store.Export(ctx, sqlaudit.Filter{Tenant: "t1", To: epoch.Add(time.Minute)}, &lines, sqlaudit.JSONL)
		require.NoError(t, err)
		require.Equal(t, int64(8), n)
		_, err = o.store.Export(ctx, f, &lines, "xml")
		require.ErrorIs(t, err, sqlaudit.ErrFormat)
		for _, format := range []sqlaudit.Format{sqlaudit.JSONL, sqlaudit.CSV} {
			broken := &brokenWriter{left: 2000}
			n, err = o.store.Export(ctx, f, broken, format)
			require.ErrorIs(t, err, errPipe)
			require.Less(t, n, int64(25))
			require.Equal(t, 1, broken.failed, "it stops at the first error")
		}
	})
}

// The statements that a Filter becomes number their placeholders in order, each with an argument.
func TestFilterStatementsKeepTheRules(t *testing.T) {
	t.Parallel()
	o := openFile(t)
	o.log(t, 20) // three pages
	full := sqlaudit.Filter{
		Tenant: "t1", ActorType: "user", ActorID: "u1", Action: "area.update", EntityType: "area", EntityID: "1",
		Outcome: audit.Denied, Class: audit.Critical, RequestID: "r1", SessionID: "s1", IP: "10.0.0.1",
		From: epoch, To: epoch.Add(time.Hour),
	}
	number := regexp.MustCompile(`\$(\d+)`)
	for _, f := range []sqlaudit.Filter{{AllTenants: true}, {Tenant: "t1"}, {AllTenants: true, From: epoch}, full} {
		c := &counting{TxDB: o.db}
		_, err := newStore(t, config(t, c)).Export(ctx, f, io.Discard, sqlaudit.CSV)
		require.NoError(t, err)
		require.NotEmpty(t, c.texts)
		for i, text := range c.texts {
			last := 0
			for _, match := range number.FindAllStringSubmatch(text, -1) {
				n, err := strconv.Atoi(match[1])
				require.NoError(t, err)
				require.LessOrEqual(t, n, last+1, text)
				last = max(last, n)
			}
			require.Equal(t, c.args[i], last, text)
		}
	}
}

var errPipe = errors.New("broken pipe")

type brokenWriter struct{ left, failed int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		w.failed++
		return 0, errPipe
	}
	return len(p), nil
}

// No secret gets into the tables or out of them, whatever the data looks like.
func TestNoSecretInTheTables(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-s3cr3t"
	onEach(t, func(t *testing.T, o *opened) {
		type account struct {
			Name     string           `json:"name"`
			IBAN     string           `json:"iban" audit:"redact"`
			Password string           `json:"password"`
			Deep     map[string][]any `json:"deep"`
		}
		for i := range 20 {
			value := account{
				fmt.Sprint("n", i), secret, fmt.Sprint(secret, i),
				map[string][]any{"list": {map[string]any{"x-api-key": secret, "name": "Authorization", "value": secret}}},
			}
			e := audit.Event{
				Action: "x", Request: audit.Request{Path: "/a?access_token=" + secret},
				Data: map[string]any{"after": value, "Cookie": []string{secret}},
			}
			require.NoError(t, o.trail.Change(ctx, e, account{Password: secret + "old"}, value))
		}
		var out bytes.Buffer
		for _, format := range []sqlaudit.Format{sqlaudit.JSONL, sqlaudit.CSV} { // these hold every column
			n, err := o.store.Export(ctx, sqlaudit.Filter{AllTenants: true}, &out, format)
			require.NoError(t, err)
			require.Equal(t, int64(20), n)
		}
		require.NotContains(t, out.String(), secret)
		require.Contains(t, out.String(), audit.Redacted)
		require.Contains(t, out.String(), "/password", "that it changed is in the trail")
	})
}
