package moving

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/rbac"
)

// The tags of the operations in the API document.
const (
	tagCompany = "Company"
	tagMoves   = "Moves"
	tagSurvey  = "Survey"
)

// Register adds the operations of this domain to the API.
func (s *Service) Register(mux *http.ServeMux, api huma.API) {
	s.registerCompany(api)
	s.registerPricing(api)
	s.registerStaffSurveys(api)
	s.registerMoves(mux, api)
	s.registerDeletion(api)
	s.registerSurvey(api)
	s.registerRooms(api)
	s.registerItems(api)
	s.registerPhotos(mux, api)
	s.registerAnalyses(mux, api)
	s.registerQuote(api)
	s.registerDecisions(api)
	s.registerVariants(api)
}

// staffOnly completes an operation for signed-in members of a company whose role holds the
// permission.
func (s *Service) staffOnly(p rbac.Permission, op huma.Operation) huma.Operation {
	op = rest.Permitted(p, op)
	op.Middlewares = huma.Middlewares{rest.Use(s.requireStaff(p))}
	op.Errors = append([]int{http.StatusUnauthorized, http.StatusForbidden}, op.Errors...)
	return op
}

// customerOnly completes an operation for holders of a survey token.
func (s *Service) customerOnly(op huma.Operation) huma.Operation {
	op.Security = rest.Survey()
	op.Tags = []string{tagSurvey}
	op.Middlewares = huma.Middlewares{rest.Use(s.RequireSurvey)}
	op.Errors = append([]int{http.StatusUnauthorized, http.StatusGone}, op.Errors...)
	return op
}

var errUnguarded = errors.New("moving: operation without its middleware")

// member returns the caller of an operation made by staffOnly.
func (s *Service) member(ctx context.Context) (Staff, error) {
	staff, ok := s.staff(ctx)
	if !ok {
		return Staff{}, errUnguarded
	}
	return staff, nil
}

// moveOf names a move of the caller's company.
func (s *Service) moveOf(ctx context.Context, id string) (Survey, error) {
	staff, err := s.member(ctx)
	if err != nil {
		return Survey{}, err
	}
	if !uuid7.Valid(id) {
		return Survey{}, ErrNotFound
	}
	return Survey{CompanyID: staff.CompanyID, MoveID: id}, nil
}

// opened returns the move of an operation made by customerOnly.
func opened(ctx context.Context) (Survey, error) {
	at, ok := SurveyFrom(ctx)
	if !ok {
		return Survey{}, errUnguarded
	}
	return at, nil
}

// Precondition is the input of operations that honour If-Match.
type Precondition struct {
	IfMatch string `header:"If-Match" example:"\"3\"" doc:"Change only this version; the ETag of an earlier answer."`
}

// entity is an answer with one versioned entity.
type entity[T any] struct {
	ETag string `header:"ETag" doc:"The version, for If-Match."`
	Body T
}

// created is the answer to the creation of a versioned entity.
type created[T any] struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag" doc:"The version, for If-Match."`
	Body     T
}

// plain is an answer with a body alone.
type plain[T any] struct{ Body T }

// IDPath is the input of operations on one row.
type IDPath struct {
	ID string `path:"id" doc:"Identifier (UUID)." example:"0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"`
}

// invalidIf returns a 422 when there are faults.
func invalidIf(faults []fault.Field) error {
	if len(faults) > 0 {
		return fault.Invalid(faults...)
	}
	return nil
}
