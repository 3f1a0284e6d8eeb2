package main_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// Each role of a company may do what its row says, and is refused everything else before any row is
// read: the refusals below name moves that do not exist.
func TestCompanyRoles(t *testing.T) {
	t.Parallel()
	const nobody = "/v1/jobs/0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"
	calls := []struct {
		method, path string
		body         any
		admin        bool // needs an admin or the owner
	}{
		{"GET", "/v1/company", nil, false},
		{"GET", "/v1/company/pricing", nil, false},
		{"GET", "/v1/jobs", nil, false},
		{"GET", nobody, nil, false},
		{"POST", "/v1/surveys", object{"mode": "quote"}, false},
		{"PATCH", "/v1/company", object{"phone": "+44 20 7946 0000"}, true},
		{"PUT", "/v1/company/pricing", object{}, true},
		{"POST", nobody + "/approve", object{"midpoint": true}, true},
	}
	servertest.Each(t, servertest.Options{}, func(t *testing.T, server *servertest.Server) {
		c := api{t: t, base: server.URL}.signUp("roles")
		token := server.Mail.Token(t, "roles@example.com", "verify-email")
		c.owner.do("POST", "/v1/auth/verify-email", object{"token": token}, http.StatusNoContent)
		for _, role := range []string{"owner", "admin", "member"} {
			who := c.owner
			if role != "owner" {
				email := role + "@example.com"
				c.owner.do("POST", "/v1/company/users", object{"email": email, "full_name": "Alex", "role": role}, http.StatusCreated)
				accept := object{"token": server.Mail.Token(t, email, "accept-invite"), "password": testPassword}
				who = c.owner.with(c.owner.do("POST", "/v1/auth/invite/accept", accept, http.StatusOK).text("access_token"))
			}
			for _, call := range calls {
				got := who.call(call.method, call.path, call.body)
				refused := call.admin && role == "member"
				require.Equal(t, refused, got.status == http.StatusForbidden, "%s: %s %s: %d %s", role, call.method, call.path, got.status, got.body)
			}
		}
	})
}
