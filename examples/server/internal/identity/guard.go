package identity

import (
	"net/http"

	"github.com/groundwork-go/groundwork/middleware"
)

// requirePeople lets those through who may manage the people of their company: its owners. It is the
// one place that says so.
func (s *Service) requirePeople(next http.Handler) http.Handler {
	return s.RequireCompany(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if access, _ := AccessFrom(r.Context()); access.CompanyRole != CompanyOwner {
			middleware.WriteProblem(w, r, ErrForbidden)
			return
		}
		next.ServeHTTP(w, r)
	}))
}

// requireVerified lets a signed-in account through whose address is confirmed.
func requireVerified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if access, _ := AccessFrom(r.Context()); access.User.VerifiedAt == nil {
			middleware.WriteProblem(w, r, ErrEmailNotVerified)
			return
		}
		next.ServeHTTP(w, r)
	})
}
