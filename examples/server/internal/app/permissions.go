package app

import (
	"net/http"
	"slices"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/identity"
	"github.com/groundwork-go/groundwork/middleware"
)

var errForbidden = fault.New(fault.Forbidden, "Your role in this company does not allow this.")

// permitted reports whether a role inside a company holds a permission. A role or permission that is
// not listed holds nothing.
func permitted(companyRole, permission string) bool {
	roles := []string{identity.CompanyOwner}
	switch permission {
	case "company:read", "job:read", "survey:create":
		roles = append(roles, identity.CompanyAdmin, identity.CompanyMember)
	case "job:decide", "company:update", "pricing:update":
		roles = append(roles, identity.CompanyAdmin)
	default:
		return false
	}
	return slices.Contains(roles, companyRole)
}

// requirePermission lets members of an active company pass whose role holds the permission. No row is
// read for anybody else.
func requirePermission(accounts *identity.Service) func(permission string) middleware.Middleware {
	return func(permission string) middleware.Middleware {
		return func(next http.Handler) http.Handler {
			return accounts.RequireCompany(middleware.Handle(func(w http.ResponseWriter, r *http.Request) error {
				access, _ := identity.AccessFrom(r.Context())
				if !permitted(access.CompanyRole, permission) {
					return errForbidden
				}
				next.ServeHTTP(w, r)
				return nil
			}))
		}
	}
}
