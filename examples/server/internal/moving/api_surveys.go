package moving

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

// TokenJSON is a new survey token in an answer. Like every type that others embed it is exported: huma
// does not see the members of an unexported one.
type TokenJSON struct {
	SurveyToken string    `json:"survey_token" doc:"Shown once; send it as Authorization: Bearer."`
	URL         string    `json:"url" format:"uri" doc:"The link for the customer, with the token in its fragment."`
	ExpiresAt   time.Time `json:"expires_at"`
}

func newTokenJSON(t Token) TokenJSON {
	return TokenJSON{SurveyToken: t.Secret, URL: t.URL, ExpiresAt: t.ExpiresAt.UTC()}
}

type newSurveyJSON struct {
	Job MoveJSON `json:"job"`
	TokenJSON
}

type createSurveyInput struct {
	Body struct {
		Mode          string  `json:"mode" enum:"quote,survey_only" example:"quote" doc:"survey_only makes an inventory without prices."`
		CustomerName  *string `json:"customer_name,omitempty" maxLength:"200" example:"Alex Customer"`
		CustomerEmail *string `json:"customer_email,omitempty" maxLength:"254" example:"alex@customer.example"`
	}
}

// tokenOutput is an answer that must not be cached: it holds a secret.
type tokenOutput[T any] struct {
	Location     string `header:"Location"`
	CacheControl string `header:"Cache-Control"`
	Body         T
}

type jobPath struct {
	Job string `path:"job" doc:"Identifier of the move (UUID)." example:"0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"`
}

func (s *Service) registerStaffSurveys(api huma.API) {
	rest.Register(api, s.staffOnly(permission.SurveyCreate, huma.Operation{
		OperationID: "create-survey", Method: http.MethodPost, Path: "/v1/surveys", Tags: []string{tagMoves},
		Summary: "Open a survey",
		Description: "Makes a move in status in_progress and the survey token its customer works with. No mail is sent. A credit " +
			"is used when the customer hands the survey in; without one no survey can be opened.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusPaymentRequired, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *createSurveyInput) (*tokenOutput[newSurveyJSON], error) {
		staff, err := s.member(ctx)
		if err != nil {
			return nil, err
		}
		move, token, err := s.CreateSurvey(ctx, staff.CompanyID, NewSurvey{
			Mode: Mode(in.Body.Mode), CustomerName: in.Body.CustomerName, CustomerEmail: in.Body.CustomerEmail,
		})
		if err != nil {
			return nil, err
		}
		return &tokenOutput[newSurveyJSON]{
			"/v1/jobs/" + move.ID, "no-store",
			newSurveyJSON{newMoveJSON(MoveRow{Move: move}), newTokenJSON(token)},
		}, nil
	})
	rest.Register(api, s.staffOnly(permission.SurveyCreate, huma.Operation{
		OperationID: "reissue-survey-token", Method: http.MethodPost, Path: "/v1/surveys/{job}/token", Tags: []string{tagMoves},
		Summary: "Issue a new survey token", Description: "Revokes every earlier token of the move.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusNotFound},
	}), func(ctx context.Context, in *jobPath) (*tokenOutput[TokenJSON], error) {
		at, err := s.moveOf(ctx, in.Job)
		if err != nil {
			return nil, err
		}
		token, err := s.ReissueToken(ctx, at)
		if err != nil {
			return nil, err
		}
		return &tokenOutput[TokenJSON]{"/v1/survey", "no-store", newTokenJSON(token)}, nil
	})
	rest.Register(api, s.staffOnly(permission.SurveyCreate, huma.Operation{
		OperationID: "revoke-survey-tokens", Method: http.MethodDelete, Path: "/v1/surveys/{job}/token", Tags: []string{tagMoves},
		Summary: "Revoke the survey tokens", Description: "The customer can no longer open the survey.",
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusNotFound},
	}), func(ctx context.Context, in *jobPath) (*struct{}, error) {
		at, err := s.moveOf(ctx, in.Job)
		if err != nil {
			return nil, err
		}
		return nil, s.RevokeTokens(ctx, at)
	})
}
