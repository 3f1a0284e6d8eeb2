package identity

import (
	"net/http"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/rbac"
)

// RequirePermission makes the middleware that lets an account through whose role holds the permission:
// its global role, or for a permission of a company its role there, which it then acts for. It is
// [Service.Require] or [Service.RequireCompany] and one question more, and reads no row for anybody
// else. Own of a pair is enough to get through; the handler asks the [rbac.Subject] about the row.
func (s *Service) RequirePermission(p rbac.Permission) middleware.Middleware {
	return func(next http.Handler) http.Handler {
		guard := s.Require
		if permission.ScopeOf(p) == permission.Company {
			guard = s.RequireCompany
		}
		return guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if subject, _ := rbac.SubjectFrom(r.Context()); !subject.Can(p) {
				middleware.WriteProblem(w, r, ErrForbidden)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// RequireVerified lets a signed-in account through whose address is confirmed.
func RequireVerified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if access, _ := AccessFrom(r.Context()); access.User.VerifiedAt == nil {
			middleware.WriteProblem(w, r, ErrEmailNotVerified)
			return
		}
		next.ServeHTTP(w, r)
	})
}
