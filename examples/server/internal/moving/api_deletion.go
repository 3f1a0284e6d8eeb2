package moving

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/softdelete"
)

type deleteMoveInput struct {
	MovePath
	Precondition
}

func (s *Service) registerDeletion(api huma.API) {
	rest.Register(api, s.staffOnly(permission.JobDelete, huma.Operation{
		OperationID: "delete-job", Method: http.MethodDelete, Path: "/v1/jobs/{id}", Tags: []string{tagMoves},
		Summary: "Delete a move",
		Description: "With its rooms and items. The customer's link answers 410 until the move is restored, which it can be for " +
			"thirty days; then it is removed for good with its photos.",
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusNotFound, http.StatusPreconditionFailed},
	}), func(ctx context.Context, in *deleteMoveInput) (*struct{}, error) {
		at, err := s.moveOf(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		match, err := ParseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, s.DeleteMove(ctx, at, match)
	})
	rest.Register(api, s.staffOnly(permission.JobRestore, huma.Operation{
		OperationID: "restore-job", Method: http.MethodPost, Path: "/v1/jobs/{id}/restore", Tags: []string{tagMoves},
		Summary:     "Restore a deleted move",
		Description: "With the rooms and items that were deleted together with it. Deleted moves are listed by GET /v1/jobs?deleted=true.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}), func(ctx context.Context, in *MovePath) (*entity[moveDetailJSON], error) {
		at, err := s.moveOf(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		if err := s.RestoreMove(ctx, at); err != nil {
			return nil, err
		}
		return s.moveDetail(ctx, at)
	})
}

// deletedParameter takes the parameter "deleted" out of those of a list, since it says what the list is
// about and not what is picked from it.
func deletedParameter(parameters url.Values) (rest url.Values, deleted bool, err error) {
	rest = url.Values{}
	for name, values := range parameters {
		switch {
		case name != "deleted":
			rest[name] = values
		case len(values) > 1:
			return nil, false, fault.Invalid(fault.Parameter(name, fault.FieldRepeatedParameter, "Send this parameter once."))
		case values[0] == "true":
			deleted = true
		case values[0] != "false":
			return nil, false, fault.Invalid(fault.Parameter(name, fault.FieldWrongType, "Use true or false."))
		}
	}
	return rest, deleted, nil
}

// mayRestore reports whether the caller may see what is deleted.
func mayRestore(ctx context.Context) bool {
	subject, ok := rbac.SubjectFrom(ctx)
	return ok && subject.Can(permission.JobRestore)
}

// DeletedCompanyJSON is a deleted company.
type DeletedCompanyJSON struct {
	CompanyJSON
	rest.Deletion
}

// DeletedCompanies returns a page of the deleted companies.
func (s *Service) DeletedCompanies(ctx context.Context, parameters url.Values) (pagination.Page[DeletedCompanyJSON], error) {
	query, err := s.deletedCompanyList.Parse(parameters)
	if err != nil {
		return pagination.Page[DeletedCompanyJSON]{}, err
	}
	page, err := s.companies.List(ctx, query, softdelete.OnlyDeleted)
	return pagination.Map(page, func(c Company) DeletedCompanyJSON {
		return DeletedCompanyJSON{newCompanyJSON(c), rest.NewDeletion(*c.DeletedAt, c.DeletedBy, s.companies.PurgeAt(*c.DeletedAt))}
	}), err
}

// DeletedCompanyList returns the specification of DeletedCompanies.
func (s *Service) DeletedCompanyList() *pagination.Spec { return s.deletedCompanyList }

// RestoredCompany is RestoreCompany with the answer of the API and its version.
func (s *Service) RestoredCompany(ctx context.Context, id string) (CompanyJSON, int64, error) {
	company, err := s.RestoreCompany(ctx, id)
	return newCompanyJSON(company), company.Version, err
}
