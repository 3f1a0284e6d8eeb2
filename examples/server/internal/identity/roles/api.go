package roles

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/rbac"
)

const tag = "Roles"

type permissionJSON struct {
	Name        string `json:"name" example:"landmark:update:own"`
	Scope       string `json:"scope" enum:"global,company"`
	Description string `json:"description" example:"Change landmarks."`
}

type roleJSON struct {
	Name        string   `json:"name" example:"moderator"`
	Scope       string   `json:"scope" enum:"global,company"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions" doc:"Everything the role may do, in alphabetical order. Any includes own."`
	BuiltIn     bool     `json:"built_in" doc:"The role cannot be deleted; admin and the roles of companies cannot be changed either."`
	Users       int64    `json:"users" doc:"Accounts or memberships that have it." example:"3"`
}

func newRoleJSON(r Role) roleJSON {
	return roleJSON{
		Name: r.Name, Scope: string(permission.ScopeOfRole(r.Name)), Description: r.Description,
		Permissions: r.Permissions, BuiltIn: permission.IsBuiltIn(r.Name), Users: r.Users,
	}
}

type (
	permissionListOutput struct {
		Link string `header:"Link" doc:"first, prev, next, last (RFC 8288)."`
		Body pagination.Page[permissionJSON]
	}
	roleListOutput struct {
		Link string `header:"Link" doc:"first, prev, next, last (RFC 8288)."`
		ETag string `header:"ETag" doc:"The version of all roles, for If-Match."`
		Body pagination.Page[roleJSON]
	}
	roleOutput struct {
		ETag string `header:"ETag" doc:"The version of all roles, for If-Match."`
		Body roleJSON
	}
	createdRoleOutput struct {
		Location string `header:"Location"`
		ETag     string `header:"ETag" doc:"The version of all roles, for If-Match."`
		Body     roleJSON
	}
)

type createRoleInput struct {
	Body struct {
		Name        string   `json:"name" pattern:"^[a-z][a-z0-9_-]{2,31}$" example:"curator"`
		Description string   `json:"description" maxLength:"255" example:"Keeps areas tidy."`
		Permissions []string `json:"permissions" maxItems:"64" nullable:"false" example:"[\"area:read\",\"area:update:any\"]" doc:"Names of global permissions."`
	}
}

// RolePath names a role. It is exported because huma passes over embedded structs that are not.
type RolePath struct {
	Name string `path:"name" example:"curator"`
}

// Precondition is the header of changes that are tied to the version of the roles.
type Precondition struct {
	IfMatch string `header:"If-Match" example:"\"p3\"" doc:"Required: the ETag of the roles as they were seen."`
}

type patchRoleInput struct {
	RolePath
	Precondition
	Body struct {
		Description rest.Optional[string]   `json:"description" required:"false" nullable:"false" maxLength:"255"`
		Permissions rest.Optional[[]string] `json:"permissions" required:"false" nullable:"false" maxItems:"64"`
	}
}

type deleteRoleInput struct {
	RolePath
	Precondition
}

// Register adds the operations on roles to the API. require makes the middleware that lets holders of
// a permission through.
func (s *Service) Register(api huma.API, require func(rbac.Permission) middleware.Middleware) {
	manage := func(op huma.Operation) huma.Operation {
		op = rest.Permitted(permission.RoleManage, op)
		op.Tags = []string{tag}
		op.Middlewares = huma.Middlewares{rest.Use(require(permission.RoleManage))}
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
		return op
	}
	rest.Register(api, manage(huma.Operation{
		OperationID: "list-permissions", Method: http.MethodGet, Path: "/v1/admin/permissions",
		Summary:     "List the permissions",
		Description: "The closed list of what can be permitted, global permissions first.",
		Parameters:  rest.ListParameters(s.list), SkipValidateParams: true, // the list parses them itself
		Errors: []int{http.StatusUnprocessableEntity},
	}), func(_ context.Context, in *struct{ rest.Request }) (*permissionListOutput, error) {
		query, err := s.list.Parse(in.Query())
		if err != nil {
			return nil, err
		}
		var all []permissionJSON
		for p := range permission.All() {
			all = append(all, permissionJSON{p.Name(), string(permission.ScopeOf(p)), p.Description()})
		}
		page, err := pagination.Slice(all, query)
		if err != nil {
			return nil, err
		}
		return &permissionListOutput{rest.Links(in.Query(), page), page}, nil
	})
	rest.Register(api, manage(huma.Operation{
		OperationID: "list-roles", Method: http.MethodGet, Path: "/v1/admin/roles",
		Summary: "List the roles", Parameters: rest.ListParameters(s.list), SkipValidateParams: true,
		Errors: []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*roleListOutput, error) {
		page, version, err := s.Roles(ctx, in.Query())
		if err != nil {
			return nil, err
		}
		return &roleListOutput{rest.Links(in.Query(), page), etag(version), pagination.Map(page, newRoleJSON)}, nil
	})
	rest.Register(api, manage(huma.Operation{
		OperationID: "create-role", Method: http.MethodPost, Path: "/v1/admin/roles",
		Summary: "Define a role", Description: "A global role of permissions that the caller has.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusConflict, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *createRoleInput) (*createdRoleOutput, error) {
		role, version, err := s.Create(ctx, in.Body.Name, in.Body.Description, in.Body.Permissions)
		if err != nil {
			return nil, err
		}
		return &createdRoleOutput{"/v1/admin/roles/" + role.Name, etag(version), newRoleJSON(role)}, nil
	})
	rest.Register(api, manage(huma.Operation{
		OperationID: "update-role", Method: http.MethodPatch, Path: "/v1/admin/roles/{name}",
		Summary: "Change a role",
		Description: "Merge patch (RFC 7396); permissions are replaced as a whole. The change counts at once on this server and " +
			"within five seconds on others.",
		Errors: []int{
			http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusUnprocessableEntity, http.StatusPreconditionRequired,
		},
	}), func(ctx context.Context, in *patchRoleInput) (*roleOutput, error) {
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		role, version, err := s.Update(ctx, in.Name, match, Patch(in.Body))
		if err != nil {
			return nil, err
		}
		return &roleOutput{etag(version), newRoleJSON(role)}, nil
	})
	rest.Register(api, manage(huma.Operation{
		OperationID: "delete-role", Method: http.MethodDelete, Path: "/v1/admin/roles/{name}",
		Summary: "Delete a role that no account has", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired},
	}), func(ctx context.Context, in *deleteRoleInput) (*struct{}, error) {
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, s.Delete(ctx, in.Name, match)
	})
}

func etag(version uint64) string { return `"` + Tag(version) + `"` }
