package identity

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/rbac"
)

const tagUsers = "Users"

type userPublicJSON struct {
	ID                string    `json:"id" format:"uuid"`
	Username          string    `json:"username"`
	ProfilePictureURL *string   `json:"profile_picture_url"`
	CreatedAt         time.Time `json:"created_at"`
}

type userCompanyJSON struct {
	ID   string `json:"id" format:"uuid"`
	Name string `json:"name"`
	Role string `json:"role" enum:"owner,admin,member"`
}

// UserAdminJSON is an account as administrators see it. It is exported because huma passes over embedded
// structs that are not.
type UserAdminJSON struct {
	UserJSON
	IsDisabled  bool                         `json:"is_disabled"`
	LastLoginAt *time.Time                   `json:"last_login_at"`
	Company     rest.OrNull[userCompanyJSON] `json:"company"`
}

func newUserAdminJSON(v AccountView) UserAdminJSON {
	out := UserAdminJSON{UserJSON: newUserJSON(v.User), IsDisabled: v.DisabledAt != nil, LastLoginAt: v.LastLoginAt}
	if v.CompanyID != "" {
		out.Company.Value = &userCompanyJSON{ID: v.CompanyID, Name: v.CompanyName, Role: v.CompanyRole}
	}
	return out
}

// userViewJSON is an account as the caller may see it: one of the two.
type userViewJSON struct {
	admin  *UserAdminJSON
	public *userPublicJSON
}

// MarshalJSON implements json.Marshaler.
func (v userViewJSON) MarshalJSON() ([]byte, error) {
	if v.admin != nil {
		return json.Marshal(v.admin)
	}
	return json.Marshal(v.public)
}

// Schema implements huma.SchemaProvider.
func (userViewJSON) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[UserAdminJSON](), true, ""), r.Schema(reflect.TypeFor[userPublicJSON](), true, ""),
	}}
}

type (
	userListOutput struct {
		Link string `header:"Link" doc:"first, prev, next, last (RFC 8288)."`
		Body pagination.Page[UserAdminJSON]
	}
	userAdminOutput struct {
		ETag string `header:"ETag" doc:"The version, for If-Match."`
		Body UserAdminJSON
	}
	userViewOutput struct {
		ETag string `header:"ETag" doc:"The version, for If-Match."`
		Body userViewJSON
	}
)

func newUserAdminOutput(v AccountView) *userAdminOutput {
	return &userAdminOutput{`"` + strconv.FormatInt(v.Version, 10) + `"`, newUserAdminJSON(v)}
}

// AccountPath names an account. It is exported because huma passes over embedded structs that are not.
type AccountPath struct {
	ID string `path:"id" doc:"Identifier of the account (UUID)."`
}

type patchAccountInput struct {
	AccountPath
	Precondition
	Body struct {
		Username   rest.Optional[string] `json:"username" required:"false" nullable:"false" example:"robin"`
		FullName   rest.Optional[string] `json:"full_name" required:"false" maxLength:"200" example:"Robin Owner"`
		Email      rest.Optional[string] `json:"email" required:"false" nullable:"false" maxLength:"254" example:"robin@example.com" doc:"Counts at once, as not confirmed; a link to confirm it is mailed there."`
		IsVerified rest.Optional[bool]   `json:"is_verified" required:"false" nullable:"false"`
		IsDisabled rest.Optional[bool]   `json:"is_disabled" required:"false" nullable:"false" doc:"True ends the sessions of the account; it cannot sign in any more."`
	}
}

type assignRoleInput struct {
	AccountPath
	Precondition
	Body struct {
		Role string `json:"role" minLength:"1" maxLength:"64" example:"moderator" doc:"A global role."`
	}
}

type changeAccountInput struct {
	AccountPath
	Precondition
}

// registerUsers adds the operations on other people's accounts.
func (s *Service) registerUsers(api huma.API) {
	users := func(p rbac.Permission, op huma.Operation) huma.Operation {
		op.Tags = []string{tagUsers}
		return s.permitted(p, op)
	}
	rest.Register(api, users(permission.UserUpdate.Any, huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: "/v1/users",
		Summary: "List the accounts", Parameters: rest.ListParameters(s.userList),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*userListOutput, error) {
		page, err := s.Accounts(ctx, in.Query())
		if err != nil {
			return nil, err
		}
		return &userListOutput{rest.Links(in.Query(), page), pagination.Map(page, newUserAdminJSON)}, nil
	})
	rest.Register(api, users(permission.UserRead, huma.Operation{
		OperationID: "get-user", Method: http.MethodGet, Path: "/v1/users/{id}",
		Summary: "Read an account", Description: "Holders of user:update:any see all of it, others what is public.",
		Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *AccountPath) (*userViewOutput, error) {
		account, err := s.Account(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		whole := newUserAdminOutput(account)
		if subject, _ := rbac.SubjectFrom(ctx); subject.Can(permission.UserUpdate.Any) {
			return &userViewOutput{whole.ETag, userViewJSON{admin: &whole.Body}}, nil
		}
		return &userViewOutput{whole.ETag, userViewJSON{public: &userPublicJSON{
			ID: account.ID, Username: account.Username, ProfilePictureURL: whole.Body.ProfilePictureURL, CreatedAt: account.CreatedAt,
		}}}, nil
	})
	rest.Register(api, users(permission.UserUpdate.Any, huma.Operation{
		OperationID: "update-user", Method: http.MethodPatch, Path: "/v1/users/{id}",
		Summary:     "Change an account",
		Description: "Merge patch (RFC 7396). Accounts that may do more than the caller stay as they are. The last administrator cannot be disabled.",
		Errors: []int{
			http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
		},
	}), func(ctx context.Context, in *patchAccountInput) (*userAdminOutput, error) {
		access, _ := AccessFrom(ctx)
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		account, err := s.UpdateAccount(ctx, access.User.ID, in.ID, match, AccountPatch(in.Body))
		if err != nil {
			return nil, err
		}
		return newUserAdminOutput(account), nil
	})
	rest.Register(api, users(permission.UserDelete.Any, huma.Operation{
		OperationID: "delete-user", Method: http.MethodDelete, Path: "/v1/users/{id}",
		Summary:       "Delete an account",
		Description:   "With its membership; ends its sessions. It can be restored for thirty days.",
		DefaultStatus: http.StatusNoContent,
		Errors: []int{
			http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusServiceUnavailable,
		},
	}), func(ctx context.Context, in *changeAccountInput) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, s.DeleteAccountOf(ctx, access.User.ID, in.ID, match)
	})
	rest.Register(api, users(permission.UserAssignRole, huma.Operation{
		OperationID: "assign-role", Method: http.MethodPut, Path: "/v1/users/{id}/role",
		Summary: "Give an account another role",
		Description: "Ends its sessions. The caller holds all permissions of both roles; administrators do not take their own role, " +
			"and the last one keeps it.",
		Errors: []int{
			http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
		},
	}), func(ctx context.Context, in *assignRoleInput) (*userAdminOutput, error) {
		access, _ := AccessFrom(ctx)
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		account, err := s.AssignRole(ctx, access.User.ID, in.ID, match, in.Body.Role)
		if err != nil {
			return nil, err
		}
		return newUserAdminOutput(account), nil
	})
	rest.Register(api, users(permission.SessionRevoke.Any, huma.Operation{
		OperationID: "revoke-sessions", Method: http.MethodPost, Path: "/v1/users/{id}/revoke-sessions",
		Summary: "End the sessions of an account", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}), func(ctx context.Context, in *AccountPath) (*struct{}, error) {
		return nil, s.EndSessionsOf(ctx, in.ID)
	})
}
