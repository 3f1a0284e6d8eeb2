package moving

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

type contactJSON struct {
	Name  *string `json:"name" example:"Alex Customer"`
	Email *string `json:"email" example:"alex@customer.example"`
	Phone *string `json:"phone" example:"+44 7700 900123"`
}

func newContactJSON(m Move) contactJSON {
	return contactJSON{Name: m.Name, Email: m.Email, Phone: m.Phone}
}

type surveyJSON struct {
	ID      string `json:"id" format:"uuid"`
	Mode    string `json:"mode" enum:"quote,survey_only"`
	Status  string `json:"status" enum:"in_progress,survey_complete,awaiting_approval,approved,accepted"`
	Company struct {
		Name            string  `json:"name" example:"Bright Removals"`
		Slug            string  `json:"slug" example:"bright-removals"`
		Email           string  `json:"email"`
		Phone           *string `json:"phone"`
		PrimaryColour   string  `json:"primary_colour" example:"#2ee59d"`
		SecondaryColour string  `json:"secondary_colour" example:"#000000"`
	} `json:"company"`

	Contact                 contactJSON         `json:"contact"`
	Pickup                  rest.OrNull[Place]  `json:"pickup"`
	Dropoff                 rest.OrNull[Place]  `json:"dropoff"`
	PickupProperty          *string             `json:"pickup_property_type"`
	DropoffProperty         *string             `json:"dropoff_property_type"`
	PickupAccess            rest.OrNull[Access] `json:"pickup_access"`
	DropoffAccess           rest.OrNull[Access] `json:"dropoff_access"`
	MoveDate                *string             `json:"move_date" format:"date" example:"2026-05-31"`
	CustomerProvidesPacking bool                `json:"customer_provides_packing"`

	Progress struct {
		Rooms           int      `json:"rooms"`
		Photos          int      `json:"photos"`
		Items           int64    `json:"items" doc:"Pieces, not rows."`
		VolumeM3        float64  `json:"volume_m3" example:"12.39"`
		WeightKg        float64  `json:"weight_kg" example:"1055"`
		AnalysisRunning bool     `json:"analysis_running"`
		Missing         []string `json:"missing" nullable:"false" doc:"What keeps the survey from being handed in."`
	} `json:"progress"`
	AllowedActions []string `json:"allowed_actions" nullable:"false" doc:"Among edit, edit_contact, submit, accept."`

	FinalPrice     *int64     `json:"final_price_pence" example:"155600"`
	QuoteExpiresAt *time.Time `json:"quote_expires_at"`
	SubmittedAt    *time.Time `json:"submitted_at"`
	ApprovedAt     *time.Time `json:"approved_at"`
	AcceptedAt     *time.Time `json:"accepted_at"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

func newOverviewJSON(o Overview, now time.Time) surveyJSON {
	m := o.Move
	v := surveyJSON{
		ID: m.ID, Mode: string(m.Mode), Status: string(m.Status), Contact: newContactJSON(m),
		PickupProperty: m.PickupProperty, DropoffProperty: m.DropoffProperty, MoveDate: m.MoveDate,
		CustomerProvidesPacking: m.CustomerProvidesPacking, AllowedActions: o.Actions(now),
		FinalPrice: m.FinalPrice, QuoteExpiresAt: m.QuoteExpiresAt, SubmittedAt: m.SubmittedAt,
		ApprovedAt: m.ApprovedAt, AcceptedAt: m.AcceptedAt, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
	v.Company.Name, v.Company.Slug, v.Company.Email = o.Company.Name, o.Company.Slug, o.Company.Email
	v.Company.Phone = o.Company.Phone
	v.Company.PrimaryColour, v.Company.SecondaryColour = o.Company.PrimaryColour, o.Company.SecondaryColour
	v.Pickup.Value, v.Dropoff.Value = m.Pickup, m.Dropoff
	v.PickupAccess.Value, v.DropoffAccess.Value = m.PickupAccess, m.DropoffAccess
	v.Progress.Rooms, v.Progress.AnalysisRunning, v.Progress.Missing = len(o.Rooms), o.Active, o.Missing()
	var volume, weight int64
	for _, room := range o.Rooms {
		v.Progress.Photos += len(room.Photos)
		for _, item := range room.Items {
			v.Progress.Items += item.Qty
			if item.Volume != nil {
				volume += *item.Volume * item.Qty
			}
			if item.Weight != nil {
				weight += *item.Weight * item.Qty
			}
		}
	}
	v.Progress.VolumeM3, v.Progress.WeightKg = cubicMetres(volume), kilograms(weight)
	return v
}

type contactPatch struct {
	Name  optional[string] `json:"name" required:"false" maxLength:"200" example:"Alex Customer"`
	Email optional[string] `json:"email" required:"false" maxLength:"254" example:"alex@customer.example"`
	Phone optional[string] `json:"phone" required:"false" maxLength:"40" example:"+44 7700 900123"`
}

func (c contactPatch) sent() bool { return c.Name.sent || c.Email.sent || c.Phone.sent }

func (c contactPatch) apply(m *Move) {
	applyLine(c.Name, &m.Name)
	applyLine(c.Email, &m.Email)
	applyLine(c.Phone, &m.Phone)
}

type placePatch struct {
	Label optional[string]  `json:"label" required:"false" nullable:"false" minLength:"1" maxLength:"300" example:"12 High Street, London" doc:"The address; needed for a new place."`
	City  optional[string]  `json:"city" required:"false" maxLength:"100" example:"London"`
	Lat   optional[float64] `json:"lat" required:"false" minimum:"-90" maximum:"90" example:"51.5074"`
	Lng   optional[float64] `json:"lng" required:"false" minimum:"-180" maximum:"180" example:"-0.1278"`
}

// applyPlace merges a patch into a place, which it makes or clears as needed.
func applyPlace(o optional[placePatch], dest **Place, pointer string, faults *[]fault.Field) {
	if o.null {
		*dest = nil
	}
	if !o.sent || o.null {
		return
	}
	place := Place{}
	if *dest != nil {
		place = **dest
	}
	applyName(o.value.Label, &place.Label, pointer+"/label", faults)
	applyLine(o.value.City, &place.City)
	o.value.Lat.applyNullable(&place.Lat)
	o.value.Lng.applyNullable(&place.Lng)
	*dest = &place
}

type patchSurveyInput struct {
	Precondition
	Body struct {
		Contact                 optional[contactPatch] `json:"contact" required:"false" nullable:"false"`
		Pickup                  optional[placePatch]   `json:"pickup" required:"false"`
		Dropoff                 optional[placePatch]   `json:"dropoff" required:"false"`
		PickupProperty          optional[string]       `json:"pickup_property_type" required:"false" enum:"studio_flat,1_bed_flat,2_bed_flat,3_bed_flat,2_bed_house,3_bed_house,4_bed_house,5_bed_house,house,flat,bungalow,office,storage"`
		DropoffProperty         optional[string]       `json:"dropoff_property_type" required:"false" enum:"studio_flat,1_bed_flat,2_bed_flat,3_bed_flat,2_bed_house,3_bed_house,4_bed_house,5_bed_house,house,flat,bungalow,office,storage"`
		MoveDate                optional[string]       `json:"move_date" required:"false" format:"date" example:"2026-05-31"`
		CustomerProvidesPacking optional[bool]         `json:"customer_provides_packing" required:"false" nullable:"false"`
	}
}

// beyondContact reports whether the patch touches what is fixed once the survey is handed in.
func (in *patchSurveyInput) beyondContact() bool {
	b := &in.Body
	return b.Pickup.sent || b.Dropoff.sent || b.PickupProperty.sent || b.DropoffProperty.sent ||
		b.MoveDate.sent || b.CustomerProvidesPacking.sent
}

func (in *patchSurveyInput) apply(m *Move) []fault.Field {
	var faults []fault.Field
	if in.Body.Contact.null {
		faults = append(faults, fault.Body("#/contact", fault.FieldNotNullable, "Clear its members one by one."))
	}
	in.Body.Contact.value.apply(m)
	applyPlace(in.Body.Pickup, &m.Pickup, "#/pickup", &faults)
	applyPlace(in.Body.Dropoff, &m.Dropoff, "#/dropoff", &faults)
	in.Body.PickupProperty.applyNullable(&m.PickupProperty)
	in.Body.DropoffProperty.applyNullable(&m.DropoffProperty)
	in.Body.MoveDate.applyNullable(&m.MoveDate)
	in.Body.CustomerProvidesPacking.apply(&m.CustomerProvidesPacking, "#/customer_provides_packing", &faults)
	return faults
}

type accessInput struct {
	Place string `path:"place" doc:"pickup or dropoff" example:"pickup"`
	Precondition
	Body Access
}

func (s *Service) surveyEntity(ctx context.Context, at Survey) (*entity[surveyJSON], error) {
	survey, err := s.Survey(ctx, at)
	if err != nil {
		return nil, err
	}
	return &entity[surveyJSON]{etag(survey.Move.Version), newOverviewJSON(survey, s.now())}, nil
}

func (s *Service) registerSurvey(api huma.API) {
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "get-survey", Method: http.MethodGet, Path: "/v1/survey",
		Summary: "Read the survey", Description: "The move the token opens: status, company, what is known and what is missing.",
	}), func(ctx context.Context, _ *struct{}) (*entity[surveyJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		return s.surveyEntity(ctx, at)
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "update-survey", Method: http.MethodPatch, Path: "/v1/survey",
		Summary: "Change the survey",
		Description: "Merge patch (RFC 7396) of contact, places, property types, date and packing. After the survey is handed in " +
			"only the contact can change, after acceptance nothing.",
		Errors: []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *patchSurveyInput) (*entity[surveyJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		match, err := ParseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		if in.beyondContact() || in.Body.Contact.sent {
			if err := s.UpdateSurvey(ctx, at, match, !in.beyondContact(), in.apply); err != nil {
				return nil, err
			}
		}
		return s.surveyEntity(ctx, at)
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "set-access", Method: http.MethodPut, Path: "/v1/survey/access/{place}",
		Summary:     "Describe the access to a place",
		Description: "Replaces how the pickup or the dropoff is reached. The place is pickup or dropoff.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *accessInput) (*entity[Access], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		if in.Place != "pickup" && in.Place != "dropoff" {
			return nil, ErrNotFound
		}
		match, err := ParseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		dropoff := in.Place == "dropoff"
		move, err := s.SetAccess(ctx, at, dropoff, match, in.Body)
		if err != nil {
			return nil, err
		}
		access := move.PickupAccess
		if dropoff {
			access = move.DropoffAccess
		}
		return &entity[Access]{etag(move.Version), *access}, nil
	})
}

type submitInput struct {
	Body *struct {
		Contact contactPatch `json:"contact" required:"false" doc:"Changes the contact on the way."`
	} `required:"false"`
}

type acceptInput struct {
	Body struct {
		Confirm bool  `json:"confirm" example:"true" doc:"Must be true."`
		Price   int64 `json:"price_pence" minimum:"1" maximum:"100000000" example:"155600" doc:"The final price the customer has seen."`
	}
}

func (s *Service) registerDecisions(api huma.API) {
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "submit-survey", Method: http.MethodPost, Path: "/v1/survey/submit",
		Summary: "Hand the survey in",
		Description: "Freezes the quote and uses one credit of the company. Needs contact, both places, a room with an item, and no " +
			"analysis under way; otherwise 422 survey_incomplete with the member missing. Doing it again changes nothing.",
		Errors: []int{http.StatusPaymentRequired, http.StatusConflict, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *submitInput) (*entity[surveyJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		var change func(*Move) []fault.Field
		if in.Body != nil && in.Body.Contact.sent() {
			change = func(m *Move) []fault.Field {
				in.Body.Contact.apply(m)
				return nil
			}
		}
		if _, err := s.Submit(ctx, at, change); err != nil {
			return nil, err
		}
		return s.surveyEntity(ctx, at)
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "accept-quote", Method: http.MethodPost, Path: "/v1/survey/accept",
		Summary:     "Accept the quote",
		Description: "Only an approved quote that has not expired, and only at the price it has: 409 price_changed otherwise.",
		Errors:      []int{http.StatusConflict, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *acceptInput) (*entity[surveyJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		if !in.Body.Confirm {
			return nil, fault.Invalid(fault.Body("#/confirm", fault.FieldNotAllowed, "Set it to true to accept."))
		}
		if _, err := s.Accept(ctx, at, in.Body.Price); err != nil {
			return nil, err
		}
		return s.surveyEntity(ctx, at)
	})
}
