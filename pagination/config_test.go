package pagination_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/pagination"
)

func TestNewSpecReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := pagination.NewSpec(pagination.Config{
		Sortable: []pagination.Field{
			{Name: "a b", Column: "i.a"},
			{Name: "a", Column: "a"},
			{Name: "dup", Column: "i.a"},
			{Name: "dup", Column: "i.a; DROP TABLE x"},
		},
		Filterable: []pagination.Field{
			{Name: "size", Column: "i.size", Kind: 99},
			{Name: "kind", Column: "i.kind", Kind: pagination.Enum},
			{Name: "n", Column: "i.n", Kind: pagination.Int, Ops: []pagination.Op{pagination.Prefix, pagination.IsNull, pagination.Eq, pagination.Eq, 77}},
			{Name: "n", Column: "i.n"},
			{Name: "b", Column: "i.b", Kind: pagination.Bool, Ops: []pagination.Op{pagination.Lt}},
		},
		DefaultSort: "-nope",
		TieBreaker:  pagination.Field{Name: "id", Column: "id", Nullable: true},
		MaxSort:     9, DefaultSize: 200, MaxSize: 50, MaxIn: -1, CountCap: -1,
		Search: pagination.Search{Columns: []string{"x"}, Min: 5, Max: 4},
		Count:  pagination.CountEstimated,
		Names:  pagination.ParamNames{Page: "p", Cursor: "p", Search: "n"},
	})
	want := []string{
		"MaxSort", "DefaultSize", "MaxIn", "CountCap", "Estimate", "Search.Min", "Search.Columns[0]",
		"TieBreaker.Column", "TieBreaker.Nullable", "Sortable[0].Name", "Sortable[1].Column",
		"Sortable[3].Column", "Sortable[3].Name", "DefaultSort", "Filterable[0].Kind", "Filterable[1].Enum",
		"Filterable[2].Ops", "Filterable[3].Name", "Filterable[4].Ops", "Names", "Keyring",
	}
	for _, field := range want {
		require.ErrorContains(t, err, "config "+field+" = ", field)
	}
	var fault *pagination.ConfigError
	require.ErrorAs(t, err, &fault)
}

func TestKeyringIsRequired(t *testing.T) {
	t.Parallel()
	cfg := itemConfig(t)
	cfg.Keyring = nil
	_, err := pagination.NewSpec(cfg)
	require.ErrorContains(t, err, "Keyring")
	cfg.Ephemeral = true
	one, err := pagination.NewSpec(cfg)
	require.NoError(t, err)
	two, err := pagination.NewSpec(cfg)
	require.NoError(t, err)
	cursor := firstCursor(t, one, "", int64(1), int64(2))
	_ = parse(t, one, "cursor="+cursor, "tenant a")
	_, err = two.Parse(values(t, "cursor="+cursor), "tenant a")
	require.ErrorIs(t, err, pagination.ErrInvalidCursor, "ephemeral keys are not shared")
	cfg.Ephemeral, cfg.Mode = false, pagination.PageOnly
	_, err = pagination.NewSpec(cfg)
	require.NoError(t, err)
}

// A Spec does not change when its Config does.
func TestConfigIsCopied(t *testing.T) {
	t.Parallel()
	cfg := itemConfig(t)
	spec, err := pagination.NewSpec(cfg)
	require.NoError(t, err)
	for i := range cfg.Filterable {
		if cfg.Filterable[i].Enum != nil {
			cfg.Filterable[i].Enum[0] = "changed"
		}
		cfg.Filterable[i].Column, cfg.Filterable[i].Ops = "x.x", nil
		cfg.Sortable[min(i, len(cfg.Sortable)-1)].Column = "x.x"
	}
	cfg.Search.Columns[0] = "x.x"
	text, _, err := parse(t, spec, "tenant=t1&rank[ge]=1&q=ab").SQL(base)
	require.NoError(t, err)
	require.NotContains(t, text, "x.")
}

func TestSearchNameIsFreeWithoutSearch(t *testing.T) {
	t.Parallel()
	spec := newSpec(t, func(c *pagination.Config) {
		c.Search = pagination.Search{}
		c.Filterable = append(c.Filterable, pagination.Field{Name: "q", Column: "i.rank", Kind: pagination.Int})
	})
	text, _, err := parse(t, spec, "q=5").SQL(base)
	require.NoError(t, err)
	require.Contains(t, text, `i."rank" = CAST($2 AS BIGINT)`)
}

func TestSelectIsChecked(t *testing.T) {
	t.Parallel()
	q := parse(t, newSpec(t), "")
	for name, tc := range map[string]pagination.Select{
		"empty":               {},
		"no from":             {Columns: "i.id"},
		"parameter in column": {Columns: "$1", From: "items AS i", Args: []any{1}},
		"descending":          {Columns: "i.id", From: "items AS i", Where: "i.a = $2 AND i.b = $1", Args: []any{1, 2}},
		"unused argument":     {Columns: "i.id", From: "items AS i", Where: "i.a = $1", Args: []any{1, 2}},
		"missing argument":    {Columns: "i.id", From: "items AS i", Where: "i.a = $1"},
		"zero":                {Columns: "i.id", From: "items AS i", Where: "i.a = $0"},
		"gap":                 {Columns: "i.id", From: "items AS i", Where: "i.a = $1 AND i.b = $3", Args: []any{1, 2}},
	} {
		_, _, err := q.SQL(tc)
		require.Error(t, err, name)
		_, _, err = q.CountSQL(tc)
		require.Error(t, err, name)
	}
	ok := pagination.Select{
		Columns: "i.id", From: "(SELECT * FROM items WHERE tenant = $1) AS i", Where: "i.a = $2 OR i.b = $1", Args: []any{1, 2},
	}
	text, args, err := q.SQL(ok)
	require.NoError(t, err)
	require.Contains(t, text, "LIMIT $3 OFFSET $4")
	require.Equal(t, []any{1, 2, int64(21), int64(0)}, args)
}

func TestZeroQuery(t *testing.T) {
	t.Parallel()
	var q pagination.Query
	_, _, err := q.SQL(base)
	require.ErrorIs(t, err, pagination.ErrZeroQuery)
	_, err = q.Count(t.Context(), base, nil)
	require.ErrorIs(t, err, pagination.ErrZeroQuery)
	_, err = pagination.Slice([]int{1}, q)
	require.ErrorIs(t, err, pagination.ErrZeroQuery)
	rows := &fakeRows{}
	_, err = pagination.Collect(rows, q, scanText)
	require.ErrorIs(t, err, pagination.ErrZeroQuery)
	require.Equal(t, 1, rows.closed)
	require.Equal(t, pagination.CountNone, q.CountMode())
}
