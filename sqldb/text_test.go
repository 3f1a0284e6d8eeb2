package sqldb_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/sqldb"
)

func FuzzCleanText(f *testing.F) {
	for _, seed := range []string{"", "plain", "a\x00b", "\xff\xfe", "\xed\xa0\x80", "é\xc3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		clean := sqldb.CleanText(s)
		require.True(t, utf8.ValidString(clean))
		require.False(t, strings.ContainsRune(clean, 0))
		require.Equal(t, clean, sqldb.CleanText(clean))
		if utf8.ValidString(s) && !strings.ContainsRune(s, 0) {
			require.Equal(t, s, clean)
		}
	})
}

func TestDialectString(t *testing.T) {
	t.Parallel()
	require.Equal(t, "postgres", sqldb.DialectPostgres.String())
	require.Equal(t, "sqlite", sqldb.DialectSQLite.String())
	require.Equal(t, "unknown", sqldb.Dialect(0).String())
}
