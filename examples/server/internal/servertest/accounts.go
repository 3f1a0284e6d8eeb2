package servertest

import (
	"database/sql"
	"net/http"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Password is that of every account made here.
const Password = "Quick-brown-fox-7"

// Account is somebody who is signed in.
type Account struct {
	ID      string
	Email   string // name@example.com
	Company string // id, "" for none
	Token   string // for Call
	Refresh string
}

// SignIn registers an account, confirms its address, gives it a global role and logs it in.
func (s *Server) SignIn(t testing.TB, name, role string) Account {
	t.Helper()
	email := name + "@example.com"
	in := map[string]any{"username": name, "email": email, "password": Password}
	s.want(t, s.Call(t, "POST", "/v1/auth/register", "", in), http.StatusCreated)
	s.Confirm(t, email)
	s.SetRole(t, email, role)
	return s.LogIn(t, email)
}

// SignUp founds a company with its owner, who has the address slug@example.com and confirms it.
func (s *Server) SignUp(t testing.TB, slug string) Account {
	t.Helper()
	email := slug + "@example.com"
	account := s.account(t, s.Call(t, "POST", "/v1/auth/signup", "", map[string]any{
		"company_name": "Company " + slug, "slug": slug, "email": email,
		"full_name": "Robin Owner", "password": Password, "accept_terms": true,
	}), http.StatusCreated)
	s.Confirm(t, email)
	return account
}

// Join invites name@example.com into the company of an owner and accepts as a new account.
func (s *Server) Join(t testing.TB, owner Account, name, role string) Account {
	t.Helper()
	email := name + "@example.com"
	in := map[string]any{"email": email, "full_name": "Alex Packer", "role": role}
	s.want(t, s.Call(t, "POST", "/v1/company/users", owner.Token, in), http.StatusCreated)
	accept := map[string]any{"token": s.Mail.Token(t, email, "accept-invite"), "password": Password}
	return s.account(t, s.Call(t, "POST", "/v1/auth/invite/accept", "", accept), http.StatusOK)
}

// LogIn begins a session of an account made here.
func (s *Server) LogIn(t testing.TB, login string) Account {
	t.Helper()
	in := map[string]any{"login": login, "password": Password}
	return s.account(t, s.Call(t, "POST", "/v1/auth/login", "", in), http.StatusOK)
}

// Confirm confirms an address with the token that was mailed to it.
func (s *Server) Confirm(t testing.TB, email string) {
	t.Helper()
	in := map[string]any{"token": s.Mail.Token(t, email, "verify-email")}
	s.want(t, s.Call(t, "POST", "/v1/auth/verify-email", "", in), http.StatusNoContent)
}

// SetRole gives the account with that address a global role, as nobody could over HTTP.
func (s *Server) SetRole(t testing.TB, email, role string) {
	t.Helper()
	_, err := s.Database(t).ExecContext(t.Context(), `UPDATE users SET role = $1 WHERE email = $2`, role, email)
	require.NoError(t, err)
}

// Database opens the server's database beside it.
func (s *Server) Database(t testing.TB) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", s.Config.Database.URL
	if s.Config.Database.Dialect == sqldb.DialectSQLite {
		var err error
		driver = "sqlite"
		dsn, _, err = sqldb.SQLiteDSN(sqldb.SQLiteConfig{Path: s.Config.Database.Path})
		require.NoError(t, err)
	}
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func (s *Server) account(t testing.TB, r Response, want int) Account {
	t.Helper()
	s.want(t, r, want)
	var session struct {
		Access  string                     `json:"access_token"`
		Refresh string                     `json:"refresh_token"`
		User    struct{ ID, Email string } `json:"user"`
		Company *struct{ ID string }       `json:"company"`
	}
	r.JSON(t, &session)
	account := Account{ID: session.User.ID, Email: session.User.Email, Token: session.Access, Refresh: session.Refresh}
	if session.Company != nil {
		account.Company = session.Company.ID
	}
	return account
}

func (s *Server) want(t testing.TB, r Response, status int) {
	t.Helper()
	require.Equal(t, status, r.Status, "%s", r.Body)
}
