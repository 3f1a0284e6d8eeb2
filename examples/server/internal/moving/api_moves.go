package moving

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/pagination"
)

// MoveJSON is a move in lists. While its survey is open only the first members are filled.
type MoveJSON struct {
	ID           string    `json:"id" format:"uuid"`
	Mode         string    `json:"mode" enum:"quote,survey_only"`
	Status       string    `json:"status" enum:"in_progress,survey_complete,awaiting_approval,approved,accepted"`
	CustomerName *string   `json:"customer_name" example:"Alex Customer"`
	Photos       int64     `json:"photos" example:"8" doc:"Number of photos."`
	CreatedAt    time.Time `json:"created_at"`

	PickupCity     *string    `json:"pickup_city" example:"London"`
	DropoffCity    *string    `json:"dropoff_city" example:"Brighton"`
	MoveDate       *string    `json:"move_date" format:"date" example:"2026-05-31"`
	LowPence       *int64     `json:"low_pence" example:"133400"`
	HighPence      *int64     `json:"high_pence" example:"177900"`
	FinalPrice     *int64     `json:"final_price_pence" example:"155600"`
	QuoteExpiresAt *time.Time `json:"quote_expires_at"`
	SubmittedAt    *time.Time `json:"submitted_at"`
	ApprovedAt     *time.Time `json:"approved_at"`
	AcceptedAt     *time.Time `json:"accepted_at"`

	DeletedAt *time.Time `json:"deleted_at"`
	PurgeAt   *time.Time `json:"purge_at" doc:"When a deleted move is removed for good."`
}

// newMoveRowJSON is newMoveJSON with what a deleted move has besides.
func (s *Service) newMoveRowJSON(m MoveRow) MoveJSON {
	row := newMoveJSON(m)
	if m.DeletedAt != nil {
		row.DeletedAt, row.PurgeAt = m.DeletedAt, new(s.moves.PurgeAt(*m.DeletedAt))
	}
	return row
}

func newMoveJSON(m MoveRow) MoveJSON {
	row := MoveJSON{
		ID: m.ID, Mode: string(m.Mode), Status: string(m.Status), CustomerName: m.Name,
		Photos: m.Photos, CreatedAt: m.CreatedAt,
	}
	if m.Status == InProgress {
		return row // the rest is the company's once the survey is handed in
	}
	if m.Pickup != nil {
		row.PickupCity = m.Pickup.City
	}
	if m.Dropoff != nil {
		row.DropoffCity = m.Dropoff.City
	}
	if m.Quote != nil {
		row.LowPence, row.HighPence = &m.Quote.Low, &m.Quote.High
	}
	row.MoveDate, row.FinalPrice, row.QuoteExpiresAt = m.MoveDate, m.FinalPrice, m.QuoteExpiresAt
	row.SubmittedAt, row.ApprovedAt, row.AcceptedAt = m.SubmittedAt, m.ApprovedAt, m.AcceptedAt
	return row
}

// moveDetailJSON is a move with everything the customer handed in.
type moveDetailJSON struct {
	MoveJSON
	Contact                 contactJSON            `json:"contact"`
	Pickup                  rest.OrNull[Place]     `json:"pickup"`
	Dropoff                 rest.OrNull[Place]     `json:"dropoff"`
	PickupProperty          *string                `json:"pickup_property_type"`
	DropoffProperty         *string                `json:"dropoff_property_type"`
	PickupAccess            rest.OrNull[Access]    `json:"pickup_access"`
	DropoffAccess           rest.OrNull[Access]    `json:"dropoff_access"`
	CustomerProvidesPacking *bool                  `json:"customer_provides_packing"`
	Rooms                   []roomJSON             `json:"rooms" nullable:"false"`
	Quote                   rest.OrNull[QuoteJSON] `json:"quote"`
}

func (s *Service) moveDetail(ctx context.Context, at Survey) (*entity[moveDetailJSON], error) {
	move, err := s.Move(ctx, at)
	if err != nil {
		return nil, err
	}
	detail := moveDetailJSON{MoveJSON: newMoveJSON(move.MoveRow), Contact: contactJSON{Name: move.Name}, Rooms: []roomJSON{}}
	if move.Status != InProgress {
		bulky, err := s.bulkyOver(ctx, at.CompanyID)
		if err != nil {
			return nil, err
		}
		detail.Contact = newContactJSON(move.Move)
		detail.Pickup.Value, detail.Dropoff.Value = move.Pickup, move.Dropoff
		detail.PickupProperty, detail.DropoffProperty = move.PickupProperty, move.DropoffProperty
		detail.PickupAccess.Value, detail.DropoffAccess.Value = move.PickupAccess, move.DropoffAccess
		detail.CustomerProvidesPacking = &move.CustomerProvidesPacking
		detail.Rooms = newRoomsJSON(move.Rooms, bulky)
		if move.Quote != nil {
			detail.Quote.Value = new(newQuoteJSON(*move.Quote))
		}
	}
	return &entity[moveDetailJSON]{etag(move.Version), detail}, nil
}

type listOutput struct {
	Link string `header:"Link" doc:"first, prev, next, last (RFC 8288)."`
	Body pagination.Page[MoveJSON]
}

type approveInput struct {
	MovePath
	Body struct {
		FinalPrice *int64 `json:"final_price_pence,omitempty" minimum:"1" maximum:"100000000" example:"155600"`
		Midpoint   *bool  `json:"midpoint,omitempty" example:"true" doc:"Take the middle of the range instead of a price."`
	}
}

// MovePath is the input of staff operations on one move.
type MovePath struct {
	ID string `path:"id" doc:"Identifier of the move (UUID)." example:"0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"`
}

func (s *Service) registerMoves(mux *http.ServeMux, api huma.API) {
	rest.Register(api, s.staffOnly(permission.JobRead, huma.Operation{
		OperationID: "list-jobs", Method: http.MethodGet, Path: "/v1/jobs", Tags: []string{tagMoves},
		Summary: "List the moves",
		Description: "Newest first. Of a survey that is still open the list shows status, customer name, age and number of " +
			"photos, and the search looks at no more than the name.",
		Parameters: append(rest.ListParameters(s.moveList), &huma.Param{
			Name: "deleted", In: "query", Description: "The deleted moves instead; needs job:restore.",
			Schema: &huma.Schema{Type: huma.TypeBoolean, Default: false},
		}),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*listOutput, error) {
		staff, err := s.member(ctx)
		if err != nil {
			return nil, err
		}
		page, err := s.Moves(ctx, staff.CompanyID, in.Query())
		if err != nil {
			return nil, err
		}
		return &listOutput{rest.Links(in.Query(), page), pagination.Map(page, s.newMoveRowJSON)}, nil
	})
	rest.Register(api, s.staffOnly(permission.JobRead, huma.Operation{
		OperationID: "get-job", Method: http.MethodGet, Path: "/v1/jobs/{id}", Tags: []string{tagMoves},
		Summary:     "Read a move",
		Description: "With rooms, items, photos and quote once the survey has been handed in.",
		Errors:      []int{http.StatusNotFound},
	}), func(ctx context.Context, in *MovePath) (*entity[moveDetailJSON], error) {
		at, err := s.moveOf(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return s.moveDetail(ctx, at)
	})
	rest.Register(api, s.staffOnly(permission.JobDecide, huma.Operation{
		OperationID: "approve-job", Method: http.MethodPost, Path: "/v1/jobs/{id}/approve", Tags: []string{tagMoves},
		Summary: "Approve a quote",
		Description: "Sets the final price, or the middle of the range, and opens the quote for acceptance for thirty days. Live " +
			"survey tokens last as long. Only from awaiting_approval.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *approveInput) (*entity[moveDetailJSON], error) {
		at, err := s.moveOf(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if (in.Body.FinalPrice == nil) == (in.Body.Midpoint == nil) {
			return nil, fault.Invalid(fault.Body("#/final_price_pence", fault.FieldRequired, "Give either final_price_pence or midpoint: true."))
		}
		if in.Body.Midpoint != nil && !*in.Body.Midpoint {
			return nil, fault.Invalid(fault.Body("#/midpoint", fault.FieldNotAllowed, "Leave it out or set it to true."))
		}
		if _, err := s.Approve(ctx, at, in.Body.FinalPrice); err != nil {
			return nil, err
		}
		return s.moveDetail(ctx, at)
	})
	rest.Handle(mux, api, rest.Permitted(permission.JobRead, huma.Operation{
		OperationID: "get-job-photo", Method: http.MethodGet, Path: "/v1/jobs/{id}/photos/{photo}/content", Tags: []string{tagMoves},
		Summary:     "Download a photo",
		Description: "Not before the survey has been handed in.",
		Parameters:  pathParams("id", "photo"), Responses: jpegResponse(),
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound},
	}), []middleware.Middleware{s.requireStaff(permission.JobRead)}, func(w http.ResponseWriter, r *http.Request) error {
		at, err := s.moveOf(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		move, err := findMove(r.Context(), s.db, at)
		if err != nil {
			return err
		}
		if move.Status == InProgress {
			return ErrNotFound
		}
		return s.sendPhoto(w, r, at, r.PathValue("photo"))
	})
}

func pathParams(names ...string) []*huma.Param {
	var list []*huma.Param
	for _, name := range names {
		list = append(list, &huma.Param{
			Name: name, In: "path", Required: true, Description: "Identifier (UUID).",
			Schema: &huma.Schema{Type: huma.TypeString, Format: "uuid"},
		})
	}
	return list
}
