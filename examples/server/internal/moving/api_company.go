package moving

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

// CompanyJSON is a company. It is exported because huma passes over embedded structs that are not.
type CompanyJSON struct {
	ID              string    `json:"id" format:"uuid"`
	Name            string    `json:"name" example:"Bright Removals"`
	Slug            string    `json:"slug" example:"bright-removals"`
	Email           string    `json:"email" example:"office@bright.example"`
	Phone           *string   `json:"phone" example:"+44 20 7946 0000"`
	PrimaryColour   string    `json:"primary_colour" example:"#2ee59d"`
	SecondaryColour string    `json:"secondary_colour" example:"#000000"`
	Credits         int64     `json:"credits" example:"3" doc:"Surveys that can still be handed in."`
	SurveysUsed     int64     `json:"surveys_used" example:"0"`
	CreatedAt       time.Time `json:"created_at"`
	UpdatedAt       time.Time `json:"updated_at"`
}

func newCompanyJSON(c Company) CompanyJSON {
	return CompanyJSON{
		ID: c.ID, Name: c.Name, Slug: c.Slug, Email: c.Email, Phone: c.Phone,
		PrimaryColour: c.PrimaryColour, SecondaryColour: c.SecondaryColour,
		Credits: c.Credits, SurveysUsed: c.SurveysUsed, CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt,
	}
}

type patchCompanyInput struct {
	Precondition
	Body struct {
		Name            optional[string] `json:"name" required:"false" nullable:"false" minLength:"2" maxLength:"255" example:"Bright Removals"`
		Email           optional[string] `json:"email" required:"false" nullable:"false" maxLength:"254" example:"office@bright.example"`
		Phone           optional[string] `json:"phone" required:"false" maxLength:"40" example:"+44 20 7946 0000"`
		PrimaryColour   optional[string] `json:"primary_colour" required:"false" nullable:"false" pattern:"^#[0-9A-Fa-f]{6}$" example:"#2ee59d"`
		SecondaryColour optional[string] `json:"secondary_colour" required:"false" nullable:"false" pattern:"^#[0-9A-Fa-f]{6}$" example:"#000000"`
	}
}

type foundCompanyInput struct {
	Body struct {
		Name        string  `json:"name" minLength:"2" maxLength:"255" example:"Bright Removals"`
		Slug        string  `json:"slug" minLength:"2" maxLength:"100" example:"bright-removals" doc:"Short name in public addresses: lower-case letters, digits and single hyphens."`
		Email       *string `json:"email,omitempty" maxLength:"254" nullable:"true" example:"office@bright.example" doc:"Without it the account's."`
		Phone       *string `json:"phone,omitempty" maxLength:"40" nullable:"true" example:"+44 20 7946 0000"`
		AcceptTerms bool    `json:"accept_terms" example:"true"`
	}
}

func (s *Service) registerFounding(api huma.API) {
	op := s.staffOnly(permission.CompanyCreate, huma.Operation{
		OperationID: "found-company", Method: http.MethodPost, Path: "/v1/company", Tags: []string{tagCompany},
		Summary:       "Found a company with an account one has",
		Description:   "For accounts that belong to none. Refresh the access token to work for it.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusConflict, http.StatusUnprocessableEntity},
	})
	op.Middlewares = append(op.Middlewares, rest.Use(s.requireVerified))
	rest.Register(api, op, func(ctx context.Context, in *foundCompanyInput) (*created[CompanyJSON], error) {
		wanted := NewCompany{Name: in.Body.Name, Slug: in.Body.Slug}
		if in.Body.Email != nil {
			wanted.Email = *in.Body.Email
		}
		if in.Body.Phone != nil {
			wanted.Phone = *in.Body.Phone
		}
		id, err := s.found(ctx, wanted, in.Body.AcceptTerms)
		if err != nil {
			return nil, err
		}
		company, err := s.Company(ctx, id)
		if err != nil {
			return nil, err
		}
		return &created[CompanyJSON]{"/v1/company", etag(company.Version), newCompanyJSON(company)}, nil
	})
}

func (s *Service) registerCompany(api huma.API) {
	s.registerFounding(api)
	rest.Register(api, rest.Permitted(permission.CompanyRead, huma.Operation{
		OperationID: "get-company", Method: http.MethodGet, Path: "/v1/company", Tags: []string{tagCompany},
		Summary:     "Read the company",
		Description: "The caller's company with its credit balance; also when it has been switched off.",
		Middlewares: huma.Middlewares{rest.Use(s.requireMember)},
		Errors:      []int{http.StatusUnauthorized, http.StatusForbidden},
	}), func(ctx context.Context, _ *struct{}) (*entity[CompanyJSON], error) {
		staff, err := s.member(ctx)
		if err != nil {
			return nil, err
		}
		company, err := s.Company(ctx, staff.CompanyID)
		if err != nil {
			return nil, err
		}
		return &entity[CompanyJSON]{etag(company.Version), newCompanyJSON(company)}, nil
	})
	rest.Register(api, s.staffOnly(permission.CompanyUpdate, huma.Operation{
		OperationID: "update-company", Method: http.MethodPatch, Path: "/v1/company", Tags: []string{tagCompany},
		Summary:     "Change the company",
		Description: "Merge patch (RFC 7396): absent members stay as they are, null clears the phone number. The short name is fixed.",
		Errors:      []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *patchCompanyInput) (*entity[CompanyJSON], error) {
		staff, err := s.member(ctx)
		if err != nil {
			return nil, err
		}
		match, err := ParseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		company, err := s.UpdateCompany(ctx, staff.CompanyID, match, func(c *Company) []fault.Field {
			var faults []fault.Field
			applyName(in.Body.Name, &c.Name, "#/name", &faults)
			in.Body.Email.apply(&c.Email, "#/email", &faults)
			c.Email = lower(c.Email)
			applyLine(in.Body.Phone, &c.Phone)
			in.Body.PrimaryColour.apply(&c.PrimaryColour, "#/primary_colour", &faults)
			in.Body.SecondaryColour.apply(&c.SecondaryColour, "#/secondary_colour", &faults)
			return faults
		})
		if err != nil {
			return nil, err
		}
		return &entity[CompanyJSON]{etag(company.Version), newCompanyJSON(company)}, nil
	})
}

// priceListBody is a price list on the wire: what is absent from a request has its default.
type priceListBody struct{ pricing.Config }

// UnmarshalJSON implements json.Unmarshaler.
func (b *priceListBody) UnmarshalJSON(data []byte) error {
	b.Config = pricing.Default()
	if err := json.Unmarshal(data, &b.Config); err != nil {
		return fmt.Errorf("moving: decode price list: %w", err)
	}
	return nil
}

type putPricingInput struct {
	Precondition
	Body priceListBody
}

func (s *Service) registerPricing(api huma.API) {
	rest.Register(api, s.staffOnly(permission.CompanyRead, huma.Operation{
		OperationID: "get-pricing", Method: http.MethodGet, Path: "/v1/company/pricing", Tags: []string{tagCompany},
		Summary: "Read the price list", Description: "Amounts in pence, the range of estimates in basis points.",
	}), func(ctx context.Context, _ *struct{}) (*entity[priceListBody], error) {
		staff, err := s.member(ctx)
		if err != nil {
			return nil, err
		}
		list, err := s.PriceList(ctx, staff.CompanyID)
		if err != nil {
			return nil, err
		}
		return &entity[priceListBody]{etag(list.Version), priceListBody{list.Config}}, nil
	})
	rest.Register(api, s.staffOnly(permission.PricingUpdate, huma.Operation{
		OperationID: "replace-pricing", Method: http.MethodPut, Path: "/v1/company/pricing", Tags: []string{tagCompany},
		Summary: "Replace the price list",
		Description: "Members that are absent take their default. If-Match is required. Surveys that were handed in keep the " +
			"quote they have.",
		Errors: []int{http.StatusPreconditionFailed, http.StatusUnprocessableEntity, http.StatusPreconditionRequired},
	}), func(ctx context.Context, in *putPricingInput) (*entity[priceListBody], error) {
		staff, err := s.member(ctx)
		if err != nil {
			return nil, err
		}
		match, err := ParseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		list, err := s.ReplacePriceList(ctx, staff.CompanyID, match, in.Body.Config)
		if err != nil {
			return nil, err
		}
		return &entity[priceListBody]{etag(list.Version), priceListBody{list.Config}}, nil
	})
	rest.Register(api, s.staffOnly(permission.JobRead, huma.Operation{
		OperationID: "preview-pricing", Method: http.MethodPost, Path: "/v1/company/pricing/preview", Tags: []string{tagCompany},
		Summary:     "Try a price list",
		Description: "Prices a survey by the company's price list, or by the one given. Nothing is stored.",
		Errors:      []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *plain[previewJSON]) (*plain[QuoteJSON], error) {
		staff, err := s.member(ctx)
		if err != nil {
			return nil, err
		}
		survey, faults := in.Body.Survey.pricing()
		var config pricing.Config
		if in.Body.Config != nil {
			config = in.Body.Config.Config
			faults = append(faults, priceFaults("#/config/", config)...)
		} else {
			list, err := s.PriceList(ctx, staff.CompanyID)
			if err != nil {
				return nil, err
			}
			config = list.Config
		}
		if err := invalidIf(faults); err != nil {
			return nil, err
		}
		return &plain[QuoteJSON]{newQuoteJSON(pricing.Compute(config, survey))}, nil
	})
}
