package pagination_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// TestRandomWalks walks lists with ties, NULLs and mixed directions while rows come and go, in
// both directions with random turns, and compares every page with the one a plain model of the
// table predicts: the rows next to the position, whatever happened to the row it came from.
func TestRandomWalks(t *testing.T) {
	t.Parallel()
	seeds := uint64(300)
	if raceEnabled || testing.Short() {
		seeds = 40
	}
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		for seed := range seeds {
			w := newWalk(t, db, newSpec(t), seed)
			w.run()
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	})
}

type sortKey struct {
	name string
	desc bool
}

// walk is one list, its model, and the position between two rows.
type walk struct {
	t     *testing.T
	db    sqldb.TxDB
	spec  *pagination.Spec
	rnd   *rand.Rand
	label string

	rows   []item // the model, in list order
	nextID int64
	keys   []sortKey
	params url.Values
}

func newWalk(t *testing.T, db sqldb.TxDB, spec *pagination.Spec, seed uint64) *walk {
	w := &walk{t: t, db: db, spec: spec, rnd: rand.New(rand.NewPCG(seed, 7)), nextID: int64(seed * 1_000)}
	_, err := db.Exec(t.Context(), `DELETE FROM items`)
	require.NoError(t, err)

	names := []string{"rank", "big", "name", "score", "done", "at", "day", "uid"}
	w.rnd.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var text []string
	for _, name := range names[:w.rnd.IntN(4)] {
		k := sortKey{name, w.rnd.IntN(2) == 0}
		w.keys = append(w.keys, k)
		text = append(text, map[bool]string{true: "-", false: ""}[k.desc]+name)
	}
	w.params = url.Values{"size": {strconv.Itoa(1 + w.rnd.IntN(6))}}
	if len(text) > 0 {
		w.params.Set("sort", strings.Join(text, ","))
	} else {
		w.keys = []sortKey{{"rank", true}}
	}
	w.keys = append(w.keys, sortKey{"id", w.keys[len(w.keys)-1].desc})
	w.label = fmt.Sprintf("seed %d sort %q size %s", seed, w.params.Get("sort"), w.params.Get("size"))

	fresh := make([]item, w.rnd.IntN(40))
	for i := range fresh {
		fresh[i] = w.item()
	}
	w.add(fresh...)
	return w
}

// item draws from few values, so that ties and NULLs are the rule.
func (w *walk) item() item {
	w.nextID += 1 + w.rnd.Int64N(3)
	r := w.rnd
	null := func() bool { return r.IntN(3) == 0 }
	it := item{ID: w.nextID, Rank: r.Int64N(3) - 1, Big: int64(1)<<53 + r.Int64N(3)}
	if !null() {
		it.Name = ptr([]string{"", "a", "A", "b", "é", "null"}[r.IntN(6)])
	}
	if !null() {
		it.Score = ptr([]float64{-1.5, 0, 0.1, 1e300}[r.IntN(4)])
	}
	if !null() {
		it.Done = ptr(r.IntN(2) == 0)
	}
	if !null() {
		it.At = ptr(time.UnixMicro(1_700_000_000_000_000 + r.Int64N(3)).UTC().Format("2006-01-02T15:04:05.000000Z"))
	}
	if !null() {
		it.Day = ptr(fmt.Sprintf("2026-01-%02d", 1+r.IntN(3)))
	}
	it.UID = uid(it.ID)
	return it
}

func (w *walk) add(items ...item) {
	insertItems(w.t, w.db, items...)
	w.rows = append(w.rows, items...)
	slices.SortFunc(w.rows, w.compare)
}

func (w *walk) remove() {
	if len(w.rows) == 0 {
		return
	}
	at := w.rnd.IntN(len(w.rows))
	require.NoError(w.t, deleteItem(w.db, w.rows[at].ID))
	w.rows = slices.Delete(w.rows, at, at+1)
}

// compare is the order the package promises: NULL is larger than every value.
func (w *walk) compare(a, b item) int {
	for _, k := range w.keys {
		c := 0
		switch k.name {
		case "id":
			c = cmp.Compare(a.ID, b.ID)
		case "rank":
			c = cmp.Compare(a.Rank, b.Rank)
		case "big":
			c = cmp.Compare(a.Big, b.Big)
		case "name":
			c = nullable(a.Name, b.Name, cmp.Compare[string])
		case "score":
			c = nullable(a.Score, b.Score, cmp.Compare[float64])
		case "done":
			c = nullable(a.Done, b.Done, func(x, y bool) int {
				return cmp.Compare(strconv.FormatBool(x), strconv.FormatBool(y))
			})
		case "at":
			c = nullable(a.At, b.At, cmp.Compare[string])
		case "day":
			c = nullable(a.Day, b.Day, cmp.Compare[string])
		case "uid":
			c = cmp.Compare(a.UID, b.UID)
		}
		if k.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func nullable[T any](a, b *T, compare func(T, T) int) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return compare(*a, *b)
}

// place is a position: before or after a row, which may be gone by now.
type place struct {
	row       item
	inclusive bool
	backward  bool
}

// expect returns the rows next to the place, in list order, and whether more are behind them.
func (w *walk) expect(at *place, size int) (rows []item, more bool) {
	for _, it := range w.rows {
		c := 1
		if at != nil {
			c = w.compare(it, at.row)
			if at.backward {
				c = -c
			}
		}
		if c > 0 || c == 0 && at.inclusive {
			rows = append(rows, it)
		}
	}
	if at != nil && at.backward {
		more = len(rows) > size
		return rows[max(0, len(rows)-size):], more
	}
	return rows[:min(size, len(rows))], len(rows) > size
}

func (w *walk) run() {
	size, _ := strconv.Atoi(w.params.Get("size"))
	var at *place
	cursor := ""
	for step := range 60 {
		params := url.Values{}
		for k, v := range w.params {
			params[k] = v
		}
		if cursor != "" {
			params.Set("cursor", cursor)
		}
		q, err := w.spec.Parse(params, itemTenant)
		require.NoError(w.t, err, w.label)
		page := fetch(w.t, w.db, q)
		want, more := w.expect(at, size)
		ids := []int64{}
		for _, it := range want {
			ids = append(ids, it.ID)
		}
		require.Equal(w.t, ids, page.Items, "%s step %d", w.label, step)
		backward := at != nil && at.backward
		require.Equal(w.t, more || backward, page.HasMore, w.label)
		require.Equal(w.t, page.HasMore, page.NextCursor != "", w.label)
		require.Equal(w.t, at != nil && !backward || backward && more, page.PrevCursor != "", w.label)

		for range w.rnd.IntN(3) { // other people at work
			if w.rnd.IntN(2) == 0 {
				w.add(w.item())
			} else {
				w.remove()
			}
		}
		// Mostly onward, sometimes a turn.
		forward := page.NextCursor != "" && (page.PrevCursor == "" || w.rnd.IntN(4) > 0)
		switch {
		case forward:
			cursor = page.NextCursor
		case page.PrevCursor != "":
			cursor = page.PrevCursor
		default:
			return
		}
		switch {
		case len(want) == 0:
			at = &place{row: at.row, inclusive: true, backward: !at.backward}
		case forward:
			at = &place{row: want[len(want)-1]}
		default:
			at = &place{row: want[0], backward: true}
		}
	}
}
