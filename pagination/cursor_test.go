package pagination_test

import (
	"math"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
)

// firstCursor is the next cursor of a page that ends at the given sort values.
func firstCursor(t testing.TB, spec *pagination.Spec, query string, keys ...any) string {
	t.Helper()
	return fakePage(t, parse(t, spec, query, "tenant a"), 21, keys...).NextCursor
}

// Every damage is seen.
func TestCursorDamage(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	cursor := firstCursor(t, spec, "", int64(5), int64(7))
	try := func(damaged string) {
		t.Helper()
		_, err := spec.Parse(url.Values{"cursor": {damaged}}, "tenant a")
		require.ErrorIs(t, err, pagination.ErrInvalidCursor, damaged)
		require.Equal(t, []string{"cursor invalid_cursor"}, codes(err))
		require.NotContains(t, err.Error(), "cipher")
	}
	for i := range len(cursor) {
		for bit := range 8 {
			b := []byte(cursor)
			b[i] ^= 1 << bit
			try(string(b))
		}
		try(cursor[:i])
		try(cursor[:i] + "\n" + cursor[i:])
		try(cursor[:i] + "\r" + cursor[i:])
	}
	for _, more := range []string{"A", "=", "==", " ", "AAAA", "\x00"} {
		try(cursor + more)
	}
	try(strings.ToLower(cursor))
	try(strings.Repeat("A", 10_000))
}

// A huge cursor is refused before any of it is decoded.
func TestHugeCursorCostsNothing(t *testing.T) {
	t.Parallel()
	bench := pagination.NewCursorBench(keyring(t, testKey), "")
	huge := strings.Repeat("A", 10_000_000)
	began := time.Now()
	for range 1_000 {
		require.False(t, bench.Open(huge))
	}
	require.Less(t, time.Since(began), time.Second)
}

// A cursor belongs to one sort, filter, search and scope, but to any size.
func TestCursorIsBound(t *testing.T) {
	t.Parallel()
	spec := newSpec(t, func(c *pagination.Config) { c.Names.Total = "total" })
	cursor := firstCursor(t, spec, "rank[ge]=1&q=abc&sort=-rank", int64(5), int64(7))
	for _, tc := range []struct {
		name, query string
		scope       []string
		ok          bool
	}{
		{"same", "rank[ge]=1&q=abc&sort=-rank", []string{"tenant a"}, true},
		{"default sort is the same", "rank[ge]=1&q=abc", []string{"tenant a"}, true},
		{"other size", "rank[ge]=1&q=abc&size=7", []string{"tenant a"}, true},
		{"search in capitals", "rank[ge]=1&q=ABC", []string{"tenant a"}, true},
		{"other direction", "rank[ge]=1&q=abc&sort=rank", []string{"tenant a"}, false},
		{"other field", "rank[ge]=1&q=abc&sort=-big", []string{"tenant a"}, false},
		{"other value", "rank[ge]=2&q=abc", []string{"tenant a"}, false},
		{"other operator", "rank[gt]=1&q=abc", []string{"tenant a"}, false},
		{"filter gone", "q=abc", []string{"tenant a"}, false},
		{"filter added", "rank[ge]=1&big=1&q=abc", []string{"tenant a"}, false},
		{"other search", "rank[ge]=1&q=abd", []string{"tenant a"}, false},
		{"search gone", "rank[ge]=1", []string{"tenant a"}, false},
		{"other tenant", "rank[ge]=1&q=abc", []string{"tenant b"}, false},
		{"no tenant", "rank[ge]=1&q=abc", nil, false},
		{"scope split elsewhere", "rank[ge]=1&q=abc", []string{"tenant", " a"}, false},
		{"scope longer", "rank[ge]=1&q=abc", []string{"tenant a", ""}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			params := values(t, tc.query)
			params.Set("cursor", cursor)
			_, err := spec.Parse(params, tc.scope...)
			if tc.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, pagination.ErrInvalidCursor)
		})
	}
}

// The same field name over another column or kind is another list.
func TestCursorIsBoundToColumns(t *testing.T) {
	t.Parallel()
	cursor := firstCursor(t, newSpec(t), "", int64(5), int64(7))
	for name, change := range map[string]func(*pagination.Config){
		"column":   func(c *pagination.Config) { c.Sortable[1].Column = "i.big" },
		"nullable": func(c *pagination.Config) { c.Sortable[1].Nullable = true },
		"kind":     func(c *pagination.Config) { c.Sortable[1].Kind = pagination.Float },
	} {
		_, err := newSpec(t, change).Parse(url.Values{"cursor": {cursor}}, "tenant a")
		require.ErrorIs(t, err, pagination.ErrInvalidCursor, name)
	}
}

func TestCursorKeyRotation(t *testing.T) {
	t.Parallel()
	newKey := pagination.Key{ID: 2, Secret: [32]byte{9}}
	with := func(ring *pagination.Keyring) *pagination.Spec {
		return newSpec(t, func(c *pagination.Config) { c.Keyring = ring })
	}
	old := with(keyring(t, testKey))
	both := with(keyring(t, newKey, testKey))
	only := with(keyring(t, newKey))

	cursor := firstCursor(t, old, "", int64(5), int64(7))
	q := parse(t, both, "cursor="+cursor, "tenant a")
	reissued := fakePage(t, q, 21, int64(5), int64(7)).NextCursor
	require.NotEqual(t, cursor, reissued)
	_ = parse(t, only, "cursor="+reissued, "tenant a")

	_, err := only.Parse(url.Values{"cursor": {cursor}}, "tenant a")
	require.ErrorIs(t, err, pagination.ErrInvalidCursor, "rotated out")
	_, err = old.Parse(url.Values{"cursor": {reissued}}, "tenant a")
	require.ErrorIs(t, err, pagination.ErrInvalidCursor, "not known yet")
	same := with(keyring(t, pagination.Key{ID: 1, Secret: [32]byte{8}}))
	_, err = same.Parse(url.Values{"cursor": {cursor}}, "tenant a")
	require.ErrorIs(t, err, pagination.ErrInvalidCursor, "same id, other secret")
}

// The alphabet, the length, and that equal positions are byte-equal.
func TestCursorForm(t *testing.T) {
	t.Parallel()
	spec := newSpec(t)
	cursor := firstCursor(t, spec, "sort=-at", "2026-01-02T03:04:05.000001Z", int64(7))
	require.Regexp(t, regexp.MustCompile(`^[A-Za-z0-9_-]+$`), cursor)
	require.LessOrEqual(t, len(cursor), 103)
	params := url.Values{"cursor": {cursor}, "sort": {"-at"}}
	back, err := url.ParseQuery(params.Encode())
	require.NoError(t, err)
	require.Equal(t, cursor, back.Get("cursor"))
	require.Equal(t, cursor, firstCursor(t, spec, "sort=-at", "2026-01-02T03:04:05.000001Z", int64(7)))
	require.NotEqual(t, cursor, firstCursor(t, spec, "sort=-at", "2026-01-02T03:04:05.000002Z", int64(7)))
}

// A cursor shows nothing of what it holds.
func TestCursorIsOpaque(t *testing.T) {
	t.Parallel()
	cursor := firstCursor(t, newSpec(t), "sort=name", "visible-secret-name", int64(7))
	require.NotContains(t, cursor, "dmlzaWJsZ") // base64 of the name
}

// Values come back exactly as the database gave them.
func TestCursorRoundTrip(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 1, 2, 3, 4, 5, 123456000, time.FixedZone("", 19800))
	for _, tc := range []struct {
		sort string
		in   any
		want any // nil: NULL, nothing is bound
	}{
		{"big", int64(1)<<53 + 1, int64(1)<<53 + 1},
		{"big", int64(math.MinInt64), int64(math.MinInt64)},
		{"big", int64(math.MaxInt64), int64(math.MaxInt64)},
		{"big", []byte("9007199254740993"), int64(9007199254740993)},
		{"at", moment, "2026-01-01T21:34:05.123456Z"},
		{"at", "2026-01-01T21:34:05.123456Z", "2026-01-01T21:34:05.123456Z"},
		{"at", "2026-01-02 03:04:05.123456+05:30", "2026-01-01T21:34:05.123456Z"},
		{"at", "0001-01-01T00:00:00.000000Z", "0001-01-01T00:00:00.000000Z"},
		{"at", nil, nil},
		{"day", time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), "2026-01-02"},
		{"day", "2026-01-02", "2026-01-02"},
		{"name", "", ""},
		{"name", "a\x00b", "a\x00b"},
		{"name", []byte("é\xff"), "é\xff"},
		{"name", nil, nil},
		{"name", "null", "null"},
		{"uid", "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f", "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"},
		{"uid", "0192F0C1-A4E0-7C5B-9F6D-2A1B3C4D5E6F", "0192F0C1-A4E0-7C5B-9F6D-2A1B3C4D5E6F"},
		{"uid", "not a uuid", "not a uuid"},
		{"done", false, false},
		{"done", int64(1), true},
		{"done", "f", false},
		{"score", 0.1, 0.1},
		{"score", math.Inf(-1), math.Inf(-1)},
		{"score", math.Copysign(0, -1), math.Copysign(0, -1)},
		{"score", "1.5", 1.5},
	} {
		spec := newSpec(t)
		cursor := firstCursor(t, spec, "sort="+tc.sort, tc.in, int64(7))
		q := parse(t, spec, "sort="+tc.sort+"&cursor="+cursor, "tenant a")
		_, args, err := q.SQL(base)
		require.NoError(t, err)
		if tc.want == nil {
			require.Equal(t, []any{itemTenant, int64(7), int64(21)}, args, tc.sort)
			continue
		}
		require.Equal(t, []any{itemTenant, tc.want, int64(7), int64(21)}, args, tc.sort)
	}
}

func TestKeyTooLongForACursor(t *testing.T) {
	t.Parallel()
	q := parse(t, newSpec(t), "sort=name&size=1")
	rows := &fakeRows{rows: [][]any{
		{"a", strings.Repeat("x", 7_000), int64(1)}, {"b", strings.Repeat("x", 7_000), int64(2)},
	}}
	page, err := pagination.Collect(rows, q, scanText)
	require.ErrorIs(t, err, pagination.ErrKeyTooLong)
	require.Empty(t, page.Items)
}

func TestKeyring(t *testing.T) {
	t.Parallel()
	_, err := pagination.NewKeyring(pagination.Key{}, testKey, testKey)
	var fault *pagination.ConfigError
	require.ErrorAs(t, err, &fault)
	require.ErrorContains(t, err, "current.Secret")
	require.ErrorContains(t, err, "older[1].ID")
	require.NotContains(t, err.Error(), "1 2 3")
	require.Equal(t, "pagination.Key(1)", testKey.LogValue().String())
	require.Equal(t, "pagination.Key(1)", testKey.GoString())
}

// The bars of the design: 3 allocations to encode, 1 to decode, of which text takes one.
func TestCursorAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations mean nothing under -race")
	}
	ring := keyring(t, testKey) // not parallel: allocations of other tests would count
	for name, text := range map[string]string{"time and uuid": "", "text and uuid": "some name"} {
		bench := pagination.NewCursorBench(ring, text)
		token, err := bench.Seal()
		require.NoError(t, err)
		require.True(t, bench.Open(token))
		encode := testing.AllocsPerRun(1_000, func() { _, _ = bench.Seal() })
		decode := testing.AllocsPerRun(1_000, func() { bench.Open(token) })
		require.LessOrEqual(t, encode, 3.0, name)
		require.LessOrEqual(t, decode, 1.0, name)
	}
}

func BenchmarkCursor(b *testing.B) {
	bench := pagination.NewCursorBench(keyring(b, testKey), "")
	token, _ := bench.Seal()
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = bench.Seal()
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			bench.Open(token)
		}
	})

	rival := jsonCursor{time.UnixMicro(1_700_000_000_000_000).UTC(), "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"}
	signed, _ := rival.encode(testKey.Secret[:])
	b.Run("json encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = rival.encode(testKey.Secret[:])
		}
	})
	b.Run("json decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var c jsonCursor
			c.decode(testKey.Secret[:], signed)
		}
	})
}
