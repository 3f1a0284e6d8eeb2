package identity

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/rbac"
)

const tagAccount = "Account"

// Precondition is the header of changes that can be tied to a version. It is exported because huma
// passes over embedded structs that are not.
type Precondition struct {
	IfMatch string `header:"If-Match" example:"\"3\"" doc:"Change only this version; the ETag of an earlier answer."`
}

type userOutput struct {
	ETag string `header:"ETag" doc:"The version, for If-Match."`
	Body UserJSON
}

func newUserOutput(u User) *userOutput {
	return &userOutput{`"` + strconv.FormatInt(u.Version, 10) + `"`, newUserJSON(u)}
}

type patchUserInput struct {
	Precondition
	Body struct {
		Username        rest.Optional[string] `json:"username" required:"false" nullable:"false" example:"robin"`
		FullName        rest.Optional[string] `json:"full_name" required:"false" maxLength:"200" example:"Robin Owner"`
		Email           rest.Optional[string] `json:"email" required:"false" nullable:"false" maxLength:"254" example:"robin@example.com" doc:"Waits in pending_email until the mailed link is used; the present address cancels that."`
		CurrentPassword string                `json:"current_password" required:"false" maxLength:"1024" example:"Correct-horse-7" doc:"Needed with email."`
	}
}

type passwordInput struct {
	Body struct {
		CurrentPassword string `json:"current_password" minLength:"1" maxLength:"1024" example:"Correct-horse-7"`
		NewPassword     string `json:"new_password" example:"Quick-brown-fox-7" doc:"8 to 1024 bytes with an upper-case letter and a digit."`
	}
}

type deleteAccountInput struct {
	rest.Request
	Precondition
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"1024" example:"Correct-horse-7"`
	}
}

// signedIn completes an operation for whoever is signed in.
func (s *Service) signedIn(op huma.Operation) huma.Operation {
	op.Security = rest.Staff()
	op.Middlewares = append(huma.Middlewares{rest.Use(s.Require)}, op.Middlewares...)
	op.Errors = append(op.Errors, http.StatusUnauthorized)
	return op
}

// permitted completes an operation for accounts whose role holds the permission.
func (s *Service) permitted(p rbac.Permission, op huma.Operation) huma.Operation {
	op = rest.Permitted(p, op)
	op.Middlewares = append(huma.Middlewares{rest.Use(s.RequirePermission(p))}, op.Middlewares...)
	op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
	return op
}

// registerAccount adds the operations on one's own account.
func (s *Service) registerAccount(api huma.API) {
	rest.Register(api, s.signedIn(huma.Operation{
		OperationID: "get-account", Method: http.MethodGet, Path: "/v1/users/me", Tags: []string{tagAccount},
		Summary: "Read one's account",
	}), func(ctx context.Context, _ *struct{}) (*userOutput, error) {
		access, _ := AccessFrom(ctx)
		return newUserOutput(access.User), nil
	})
	rest.Register(api, s.permitted(permission.UserUpdate.Own, huma.Operation{
		OperationID: "update-account", Method: http.MethodPatch, Path: "/v1/users/me", Tags: []string{tagAccount},
		Summary: "Change one's account",
		Description: "Merge patch (RFC 7396). A new address needs the password and takes effect when the link mailed to it is " +
			"used; whether it belongs to another account is not told.",
		Errors: []int{
			http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
		},
	}), func(ctx context.Context, in *patchUserInput) (*userOutput, error) {
		access, _ := AccessFrom(ctx)
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		user, err := s.UpdateProfile(ctx, access.User.ID, match, ProfilePatch(in.Body))
		if err != nil {
			return nil, err
		}
		return newUserOutput(user), nil
	})
	rest.Register(api, huma.Operation{
		OperationID: "confirm-email", Method: http.MethodPost, Path: "/v1/users/me/email/confirm", Tags: []string{tagAccount},
		Summary: "Confirm a new address", Description: "Takes the token of the mailed link; needs no access token.",
		DefaultStatus: http.StatusNoContent, MaxBodyBytes: maxAuthBody,
		Errors: []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *tokenInput) (*struct{}, error) {
		return nil, s.ConfirmEmail(ctx, in.Body.Token)
	})
	rest.Register(api, s.signedIn(huma.Operation{
		OperationID: "change-password", Method: http.MethodPut, Path: "/v1/users/me/password", Tags: []string{tagAccount},
		Summary: "Change one's password", Description: "Ends all other sessions.",
		DefaultStatus: http.StatusNoContent, MaxBodyBytes: maxAuthBody,
		Errors: []int{http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}), func(ctx context.Context, in *passwordInput) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		return nil, s.ChangePassword(ctx, access, in.Body.CurrentPassword, in.Body.NewPassword)
	})
	rest.Register(api, s.permitted(permission.UserDelete.Own, huma.Operation{
		OperationID: "delete-account", Method: http.MethodDelete, Path: "/v1/users/me", Tags: []string{tagAccount},
		Summary: "Delete one's account",
		Description: "With its membership; ends all sessions. Name and address are free at once. The last owner of a company " +
			"and the last administrator stay. Administrators can restore the account for thirty days.",
		DefaultStatus: http.StatusNoContent, MaxBodyBytes: maxAuthBody,
		Errors: []int{
			http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
		},
	}), func(ctx context.Context, in *deleteAccountInput) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		if err := s.DeleteAccount(ctx, access.User, match, in.Body.Password); err != nil {
			return nil, err
		}
		s.dropCookie(in.HTTP())
		return nil, nil
	})
}
