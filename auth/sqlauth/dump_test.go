package sqlauth_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/onetime"
	"github.com/groundwork-go/groundwork/auth/sqlauth"
	"github.com/groundwork-go/groundwork/sqldb"
)

// TestDumpHasNoUsableToken looks for issued tokens, and for the secrets in them, in every column of
// every table.
func TestDumpHasNoUsableToken(t *testing.T) {
	t.Parallel()
	transports(t, func(t *testing.T, open func(t *testing.T) sqldb.TxDB) {
		db := open(t)
		svc := newService(t, auth.Config{Store: sqlauth.New(db), Denylist: sqlauth.NewDenylist(db), MaxSessions: 3})
		once, err := onetime.New(onetime.Config{Store: sqlauth.NewOneTime(db)})
		require.NoError(t, err)
		var issued []string
		keep := func(tokens auth.Tokens, err error) auth.Tokens {
			require.NoError(t, err)
			issued = append(issued, tokens.Refresh, tokens.Access)
			return tokens
		}
		for i := range 5 {
			first := keep(svc.Login(t.Context(), auth.Login{Subject: "user"}))
			keep(svc.Refresh(t.Context(), first.Refresh))
			last := keep(svc.Refresh(t.Context(), first.Refresh)) // a replay
			if i == 4 {
				require.NoError(t, svc.Logout(t.Context(), last.Refresh))
			}
			token, err := once.Issue(t.Context(), onetime.Issue{Purpose: "reset", Subject: fmt.Sprint("user", i), TTL: time.Hour})
			require.NoError(t, err)
			issued = append(issued, token)
		}

		text := dump(t, db)
		for _, table := range []string{"auth_sessions", "auth_subjects", "auth_denied", "auth_one_time"} {
			require.Contains(t, text, table+": ", "the table has rows")
		}
		for _, token := range issued {
			for _, secret := range secretsOf(t, token) {
				require.NotContains(t, text, secret)
			}
		}
	})
}

// secretsOf returns what of a token must not be stored, in the forms in which it could be.
func secretsOf(t *testing.T, token string) []string {
	t.Helper()
	if strings.Count(token, ".") == 2 { // an access token is its own secret
		return []string{token}
	}
	raw, err := base64.RawURLEncoding.DecodeString(token[3:]) // behind rt_ or ot_
	require.NoError(t, err)
	if token[:3] == "rt_" {
		raw = raw[21:53]
	}
	return []string{
		token, base64.RawURLEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw),
		hex.EncodeToString(raw), string(raw),
	}
}

// dump returns all values of all tables.
func dump(t *testing.T, db sqldb.TxDB) string {
	t.Helper()
	query := `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()`
	if sqldb.DialectOf(db) == sqldb.DialectSQLite {
		query = `SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'`
	}
	var out strings.Builder
	for _, column := range pairs(t, db, query) {
		query := fmt.Sprintf(`SELECT '%[1]s', COALESCE(CAST(%[2]s AS TEXT), '') FROM %[1]s`, column[0], column[1])
		for _, value := range pairs(t, db, query) {
			fmt.Fprintf(&out, "%s: %s\n", value[0], value[1])
		}
	}
	return out.String()
}

func pairs(t *testing.T, db sqldb.TxDB, query string) (list [][2]string) {
	t.Helper()
	rows, err := db.Query(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var pair [2]string
		require.NoError(t, rows.Scan(&pair[0], &pair[1]))
		list = append(list, pair)
	}
	require.NoError(t, rows.Err())
	return list
}
