package identity

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

type registerInput struct {
	Body struct {
		Username string `json:"username" example:"robin" doc:"3 to 32 letters, digits, underscores, dots and hyphens."`
		Email    string `json:"email" maxLength:"254" example:"robin@example.com"`
		Password string `json:"password" example:"Correct-horse-7" doc:"8 to 1024 bytes with an upper-case letter and a digit."`
	}
}

type messageOutput struct {
	Body struct {
		Message string `json:"message"`
	}
}

type emailInput struct {
	Body struct {
		Email string `json:"email" maxLength:"254" example:"robin@example.com"`
	}
}

type tokenInput struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"512" doc:"The token of the mailed link; it works once."`
	}
}

type resetInput struct {
	Body struct {
		Token    string `json:"token" minLength:"1" maxLength:"512" doc:"The token of the mailed link; it works once."`
		Password string `json:"password" example:"Correct-horse-7" doc:"8 to 1024 bytes with an upper-case letter and a digit."`
	}
}

// registerMail adds the operations that send mails to strangers or take the tokens of such mails.
func (s *Service) registerMail(api huma.API) {
	rest.Register(api, huma.Operation{
		OperationID: "register", Method: http.MethodPost, Path: "/v1/auth/register", Tags: []string{tag},
		Summary:       "Make a personal account",
		Description:   "The answer is the same for every address; what it means is mailed there. Nobody is signed in.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *registerInput) (*messageOutput, error) {
		if err := s.RegisterAccount(ctx, Registration(in.Body)); err != nil {
			return nil, err
		}
		out := &messageOutput{}
		out.Body.Message = "Look into your mailbox to go on."
		return out, nil
	})
	rest.Register(api, huma.Operation{
		OperationID: "verify-email", Method: http.MethodPost, Path: "/v1/auth/verify-email", Tags: []string{tag},
		Summary: "Confirm an address", Description: "Takes the token of the mailed link. Signs nobody in.",
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *tokenInput) (*struct{}, error) {
		return nil, s.VerifyEmail(ctx, in.Body.Token)
	})
	rest.Register(api, huma.Operation{
		OperationID: "resend-verification", Method: http.MethodPost, Path: "/v1/auth/resend-verification", Tags: []string{tag},
		Summary:       "Ask for another confirmation link",
		Description:   "The answer is the same for every address. A new link voids the older one.",
		DefaultStatus: http.StatusAccepted,
		Errors:        []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *emailInput) (*struct{}, error) {
		return nil, s.ResendVerification(ctx, in.Body.Email)
	})
	rest.Register(api, huma.Operation{
		OperationID: "forgot-password", Method: http.MethodPost, Path: "/v1/auth/forgot-password", Tags: []string{tag},
		Summary:       "Ask for a link to choose a new password",
		Description:   "The answer is the same for every address. A new link voids the older one; it works for one hour.",
		DefaultStatus: http.StatusAccepted,
		Errors:        []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *emailInput) (*struct{}, error) {
		return nil, s.ForgotPassword(ctx, in.Body.Email)
	})
	rest.Register(api, huma.Operation{
		OperationID: "reset-password", Method: http.MethodPost, Path: "/v1/auth/reset-password", Tags: []string{tag},
		Summary:       "Choose a new password",
		Description:   "Takes the token of the mailed link. The address counts as confirmed and all sessions end.",
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *resetInput) (*struct{}, error) {
		return nil, s.ResetPassword(ctx, in.Body.Token, in.Body.Password)
	})
}
