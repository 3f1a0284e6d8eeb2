package main_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// needs is what each operation of the product asks of its caller, whether it is built yet or not: a
// permission, or one of the words public, account (any), survey (token), signature. Own stands for
// both sizes of a pair. Names of path parameters do not matter.
const needs = `
POST /v1/auth/register                      public
POST /v1/auth/signup                        public
POST /v1/auth/login                         public
POST /v1/auth/token                         public
POST /v1/auth/refresh                       public
POST /v1/auth/logout                        public
POST /v1/auth/logout-all                    account
GET /v1/auth/me                             account
GET /v1/auth/sessions                       account
DELETE /v1/auth/sessions/{}                 session:revoke:own
POST /v1/auth/verify-email                  public
POST /v1/auth/resend-verification           public
POST /v1/auth/forgot-password               public
POST /v1/auth/reset-password                public
POST /v1/auth/invite/accept                 public

GET /v1/users/me                            account
PATCH /v1/users/me                          user:update:own
DELETE /v1/users/me                         user:delete:own
POST /v1/users/me/email/confirm             public
PUT /v1/users/me/password                   account
GET /v1/users/me/profile-picture            account
PUT /v1/users/me/profile-picture            user:update:own
DELETE /v1/users/me/profile-picture         user:update:own
GET /v1/users                               user:update:any
GET /v1/users/{}                            user:read
PATCH /v1/users/{}                          user:update:any
DELETE /v1/users/{}                         user:delete:any
PUT /v1/users/{}/role                       user:assign_role
POST /v1/users/{}/revoke-sessions           session:revoke:any

POST /v1/company                            company:create
GET /v1/company                             company:read
PATCH /v1/company                           company:update
DELETE /v1/company                          company:delete
PUT /v1/company/logo                        company:update
DELETE /v1/company/logo                     company:update
GET /v1/company/users                       member:manage
POST /v1/company/users                      member:manage
PATCH /v1/company/users/{}                  member:manage
DELETE /v1/company/users/{}                 member:manage
DELETE /v1/company/users/me                 company:read
GET /v1/company/invites                     member:manage
DELETE /v1/company/invites/{}               member:manage
POST /v1/company/invites/{}/resend          member:manage
PUT /v1/company/smtp                        company:update
POST /v1/company/smtp/test                  company:update
POST /v1/company/onboarding/dismiss         company:read
GET /v1/company/pricing                     company:read
PUT /v1/company/pricing                     pricing:update
POST /v1/company/pricing/preview            job:read
GET /v1/company/terms                       company:read
POST /v1/company/terms                      terms:manage
PATCH /v1/company/terms                     terms:manage
GET /v1/company/terms/acceptances           terms:manage
GET /v1/company/dashboard                   job:read
GET /v1/company/analytics                   analytics:read
GET /v1/company/audit                       company:audit
GET /v1/company/feedback                    item:feedback
GET /v1/company/learned-patterns            item:feedback
PATCH /v1/company/learned-patterns/{}       item:feedback

POST /v1/surveys                            survey:create
POST /v1/surveys/{}/invite                  survey:create
POST /v1/surveys/{}/token                   survey:create
DELETE /v1/surveys/{}/token                 survey:create
GET /v1/jobs                                job:read
GET /v1/jobs/{}                             job:read
DELETE /v1/jobs/{}                          job:delete
POST /v1/jobs/{}/restore                    job:restore
GET /v1/jobs/{}/export                      job:export
GET /v1/jobs/{}/photos/{}/content           job:read
PUT /v1/jobs/{}/price-override              job:decide
DELETE /v1/jobs/{}/price-override           job:decide
POST /v1/jobs/{}/approve                    job:decide
POST /v1/jobs/{}/reject                     job:decide
POST /v1/jobs/{}/send-back                  job:decide
POST /v1/jobs/{}/reopen                     job:decide
POST /v1/jobs/{}/book                       job:decide
POST /v1/jobs/{}/complete                   job:decide
POST /v1/jobs/{}/cancel                     job:decide
GET /v1/jobs/{}/notes                       job:note
POST /v1/jobs/{}/notes                      job:note
DELETE /v1/jobs/{}/notes/{}                 note:delete:own
PATCH /v1/jobs/{}/items/{}                  job:decide
POST /v1/jobs/{}/items/{}/feedback          item:feedback

GET /v1/public/companies/{}                 public
POST /v1/public/companies/{}/surveys        public
POST /v1/tools/volume                       public
GET /v1/variants                            public
POST /v1/listings                           public
POST /v1/webhooks/stripe                    signature
GET /v1/files/{}                            signature
HEAD /v1/files/{}                           signature

GET /v1/billing                             billing:manage
GET /v1/billing/credits                     billing:manage
GET /v1/billing/packs                       billing:manage
POST /v1/billing/credits/checkout           billing:manage
POST /v1/billing/subscription/checkout      billing:manage
POST /v1/billing/portal                     billing:manage
GET /v1/billing/connect                     billing:manage
POST /v1/billing/connect/onboarding         billing:manage
GET /v1/market/listings                     market:read
GET /v1/market/listings/{}                  market:read
POST /v1/market/listings/{}/bids            market:bid
GET /v1/market/bids                         market:bid
PATCH /v1/market/bids/{}                    market:bid
DELETE /v1/market/bids/{}                   market:bid
GET /v1/market/stats                        market:read

GET /v1/platform/companies                  platform:read
PATCH /v1/platform/companies/{}             platform:manage
GET /v1/platform/stats                      platform:read
GET /v1/platform/funnel                     platform:read
GET /v1/platform/engagement                 platform:read
GET /v1/platform/marketplace                platform:read
GET /v1/platform/learning                   platform:read
POST /v1/platform/learning                  platform:manage
GET /v1/platform/training-data              platform:export
POST /v1/platform/listings/{}/broadcast     platform:manage
GET /v1/platform/commissions                platform:read
POST /v1/platform/commissions/{}/charge     platform:manage
POST /v1/platform/jobs/{}/cancel            platform:manage

GET /v1/areas                               area:read
POST /v1/areas                              area:create
GET /v1/areas/nearby                        area:read
GET /v1/areas/{}                            area:read
PATCH /v1/areas/{}                          area:update:own
DELETE /v1/areas/{}                         area:delete:own
PUT /v1/areas/{}/image                      area:update:own
DELETE /v1/areas/{}/image                   area:update:own
PUT /v1/areas/{}/badge                      area:update:own
DELETE /v1/areas/{}/badge                   area:update:own
POST /v1/areas/{}/verification              area:verify
DELETE /v1/areas/{}/verification            area:verify
GET /v1/areas/{}/children                   area:read
GET /v1/areas/{}/landmarks                  landmark:read
GET /v1/landmarks                           landmark:read
POST /v1/landmarks                          landmark:create
GET /v1/landmarks/nearby                    landmark:read
GET /v1/landmarks/{}                        landmark:read
PATCH /v1/landmarks/{}                      landmark:update:own
DELETE /v1/landmarks/{}                     landmark:delete:own
PUT /v1/landmarks/{}/image                  landmark:update:own
DELETE /v1/landmarks/{}/image               landmark:update:own
PUT /v1/landmarks/{}/hint-image             landmark:update:own
DELETE /v1/landmarks/{}/hint-image          landmark:update:own
POST /v1/landmarks/{}/verification          landmark:verify
DELETE /v1/landmarks/{}/verification        landmark:verify
POST /v1/landmarks/{}/attempts              unlock:create
GET /v1/attempts                            attempt:read:own
GET /v1/attempts/{}                         attempt:read:own
DELETE /v1/attempts/{}                      attempt:cancel:own
POST /v1/attempts/{}/decision               attempt:review
GET /v1/unlocks                             unlock:read:own
GET /v1/unlocks/{}                          unlock:read:own
PATCH /v1/unlocks/{}                        unlock:update:own
GET /v1/feed                                feed:read

GET /v1/admin/permissions                   role:manage
GET /v1/admin/roles                         role:manage
POST /v1/admin/roles                        role:manage
PATCH /v1/admin/roles/{}                    role:manage
DELETE /v1/admin/roles/{}                   role:manage
GET /v1/admin/audit-logs                    audit:read
GET /v1/admin/audit-logs/export             audit:read
POST /v1/admin/audit-logs/verify            audit:read
GET /v1/admin/jobs                          queue:manage
GET /v1/admin/jobs/{}                       queue:manage
DELETE /v1/admin/jobs/{}                    queue:manage
POST /v1/admin/jobs/{}/retry                queue:manage
POST /v1/admin/jobs/{}/cancel               queue:manage
GET /v1/admin/deleted/areas                 content:restore
GET /v1/admin/deleted/landmarks             content:restore
GET /v1/admin/deleted/users                 content:restore
GET /v1/admin/deleted/companies             content:restore
POST /v1/admin/areas/{}/restore             content:restore
POST /v1/admin/landmarks/{}/restore         content:restore
POST /v1/admin/users/{}/restore             content:restore
POST /v1/admin/companies/{}/restore         content:restore
DELETE /v1/admin/areas/{}                   content:purge
DELETE /v1/admin/landmarks/{}               content:purge
DELETE /v1/admin/users/{}                   content:purge
DELETE /v1/admin/companies/{}               content:purge
GET /v1/admin/files                         file:manage
GET /v1/admin/files/{}                      file:manage
DELETE /v1/admin/files/{}                   file:manage
`

var parameter = regexp.MustCompile(`\{[^}]*\}`)

// needOf returns the need of an operation; everything under /v1/survey is for the holder of a token.
func needOf(t *testing.T, operation string) string {
	t.Helper()
	operation = parameter.ReplaceAllString(operation, "{}")
	_, path, _ := strings.Cut(operation, " ")
	if path == "/v1/survey" || strings.HasPrefix(path, "/v1/survey/") {
		return "survey"
	}
	for line := range strings.Lines(needs) {
		if words := strings.Fields(line); len(words) == 3 && words[0]+" "+words[1] == operation {
			return words[2]
		}
	}
	t.Fatalf("%s is not in the table of needs", operation)
	return ""
}

type operation struct{ method, path, need, documented string }

// operations reads what the server serves from its document.
func operations(t *testing.T, s *servertest.Server) (list []operation) {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Permission string `json:"x-permission"`
		}
	}
	s.Call(t, "GET", "/openapi.json", "", nil).JSON(t, &document)
	for path, methods := range document.Paths {
		for method, op := range methods {
			method = strings.ToUpper(method)
			list = append(list, operation{method, path, needOf(t, method+" "+path), op.Permission})
		}
	}
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	require.NotEmpty(t, list)
	return list
}

// endsSession are the operations that succeed with an empty body and end the session of the caller. They
// are called last, by sessions of their own.
var endsSession = []string{"POST /v1/auth/logout-all", "DELETE /v1/company/users/me"}

// Every operation that is served lets those in whose role holds its permission, and nobody else: 401
// without a token, 403 for a role that does not hold it, and neither for one that does. Requests name
// rows that do not exist and carry empty bodies, so what is refused is refused before any row is read.
func TestEveryOperationAsksForItsPermission(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", permission.RoleAdmin)
		owner := s.SignUp(t, "crew")
		callers := map[string]servertest.Account{
			permission.RoleUser:          s.SignIn(t, "robin", permission.RoleUser),
			permission.RoleModerator:     s.SignIn(t, "kim", permission.RoleModerator),
			permission.RoleAdmin:         admin,
			permission.RoleCompanyOwner:  owner,
			permission.RoleCompanyAdmin:  s.Join(t, owner, "sam", "admin"),
			permission.RoleCompanyMember: s.Join(t, owner, "alex", "member"),
		}
		holds := grants(t, s, admin)
		var late []operation
		for _, op := range operations(t, s) {
			if strings.Contains(op.need, ":") {
				require.Equal(t, op.need, op.documented, "%s %s", op.method, op.path)
			} else {
				require.Empty(t, op.documented, "%s %s", op.method, op.path)
			}
			if slices.Contains(endsSession, op.method+" "+op.path) {
				late = append(late, op)
				continue
			}
			check(t, s, op, "", "", nil)
			for role, account := range callers {
				check(t, s, op, role, account.Token, holds[role])
			}
		}
		require.Len(t, late, len(endsSession))
		for _, op := range late {
			check(t, s, op, "", "", nil)
			for role, account := range callers {
				check(t, s, op, role, s.LogIn(t, account.Email).Token, holds[role])
			}
		}
	})
}

// grants returns what everybody with a role may do: an account of a company has the role user as well.
func grants(t *testing.T, s *servertest.Server, admin servertest.Account) map[string][]string {
	t.Helper()
	var page struct {
		Items []struct {
			Name, Scope string
			Permissions []string
		}
	}
	s.Call(t, "GET", "/v1/admin/roles", admin.Token, nil).JSON(t, &page)
	holds := map[string][]string{}
	for _, role := range page.Items {
		holds[role.Name] = role.Permissions
	}
	for _, role := range page.Items {
		if role.Scope == "company" {
			holds[role.Name] = slices.Concat(role.Permissions, holds[permission.RoleUser])
		}
	}
	return holds
}

// check calls an operation as somebody with a role, "" for nobody.
func check(t *testing.T, s *servertest.Server, op operation, role, token string, holds []string) {
	t.Helper()
	const nobody = "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"
	var in any
	if op.method != http.MethodGet && op.method != http.MethodDelete {
		in = object{}
	}
	r := s.Call(t, op.method, parameter.ReplaceAllString(op.path, nobody), token, in)
	where := op.method + " " + op.path + " by " + role
	refusal := func(status int, code string) {
		t.Helper()
		require.Equal(t, status, r.Status, "%s: %s", where, r.Body)
		require.Equal(t, code, r.Code(), where)
	}
	needed, _ := permission.Registry().Lookup(op.need)
	outsider := role == permission.RoleUser || role == permission.RoleModerator || role == permission.RoleAdmin
	switch {
	case op.need == "public", op.need == "signature":
		if op.path != "/v1/auth/refresh" { // which asks for its own credential
			require.NotEqual(t, "unauthenticated", r.Code(), where)
		}
		require.NotContains(t, []string{"forbidden", "no_company"}, r.Code(), where)
	case op.need == "survey", role == "":
		refusal(http.StatusUnauthorized, "unauthenticated")
	case permission.ScopeOf(needed) == permission.Company && outsider:
		refusal(http.StatusForbidden, "no_company")
	case op.need != "account" && !slices.Contains(holds, op.need):
		refusal(http.StatusForbidden, "forbidden")
	default:
		require.NotContains(t, []string{"unauthenticated", "forbidden", "no_company", "token_outdated"}, r.Code(), where)
		require.Less(t, r.Status, 500, "%s: %s", where, r.Body)
	}
}
