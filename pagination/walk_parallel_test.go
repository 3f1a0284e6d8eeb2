package pagination_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Lists with ties, NULLs and mixed directions are walked there and back while three others insert
// and delete rows around every position. No row is met twice, and the rows that stay are all met,
// in their order.
func TestWalkBesideWriters(t *testing.T) {
	t.Parallel()
	seeds := uint64(10)
	if raceEnabled || testing.Short() {
		seeds = 5
	}
	onEach(t, func(t *testing.T, _ transport, db sqldb.TxDB) {
		met := 0
		for seed := range seeds {
			w := newWalk(t, db, newSpec(t), seed)
			fresh := make([]item, 60)
			for i := range fresh {
				fresh[i] = w.item()
			}
			w.add(fresh...)
			w.params.Set("size", strconv.Itoa(3+w.rnd.IntN(6)))
			wait := writeBeside(t, db, seed)
			query := w.params.Encode()
			there := forward(t, db, w.spec, query)
			back := backward(t, db, w.spec, query, there[len(there)-1])
			wait()
			met += w.requireStable(there) + w.requireStable(back)
		}
		require.NotZero(t, met, "the writers were never beside the walk")
	})
}

// backward walks from a page to the start and returns the pages in list order.
func backward(
	t *testing.T, db sqldb.DB, spec *pagination.Spec, query string, from pagination.Page[int64],
) []pagination.Page[int64] {
	t.Helper()
	pages := []pagination.Page[int64]{from}
	for pages[0].PrevCursor != "" {
		require.Less(t, len(pages), 1_000, "the walk does not end")
		pages = append([]pagination.Page[int64]{get(t, db, spec, query, pages[0].PrevCursor)}, pages...)
	}
	return pages
}

// requireStable checks what a walk has met: no row twice, and the rows of the model in order. It
// returns how many of the others it has met.
func (w *walk) requireStable(pages []pagination.Page[int64]) int {
	w.t.Helper()
	var want []int64
	for _, it := range w.rows {
		want = append(want, it.ID)
	}
	met := ids(pages)
	once := slices.Compact(slices.Sorted(slices.Values(met)))
	require.Len(w.t, met, len(once), "%s: a row is met twice", w.label)
	stable := slices.DeleteFunc(slices.Clone(met), func(id int64) bool { return id >= firstVisitor })
	require.Equal(w.t, want, stable, w.label)
	return len(met) - len(stable)
}

// firstVisitor is the lowest id of the rows that come and go.
const firstVisitor = int64(1) << 40

// writeBeside inserts and deletes rows from three goroutines. What they do is limited, or a walk
// that is slower than they are would never come to its end.
func writeBeside(t *testing.T, db sqldb.TxDB, seed uint64) (wait func()) {
	t.Helper()
	var group sync.WaitGroup
	for n := range uint64(3) {
		group.Go(func() {
			w := &walk{rnd: rand.New(rand.NewPCG(seed, n)), nextID: firstVisitor + int64(seed*3+n)<<32}
			var mine []int64
			for range 60 {
				var err error
				if len(mine) < 5 || w.rnd.IntN(2) == 0 {
					it := w.item()
					mine = append(mine, it.ID)
					err = putItems(db, it)
				} else {
					at := w.rnd.IntN(len(mine))
					err = deleteItem(db, mine[at])
					mine = slices.Delete(mine, at, at+1)
				}
				if err != nil {
					t.Errorf("write beside the walk: %v", err)
					return
				}
			}
		})
	}
	return group.Wait
}
