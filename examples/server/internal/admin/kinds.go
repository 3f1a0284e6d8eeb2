package admin

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/pagination"
)

// Kind is a kind of entity that can be deleted, restored and purged. Row is what its list shows, Entity
// what a restoration answers.
type Kind[Row, Entity any] struct {
	// Name is the plural in the paths, such as "companies"; Singular is what texts call one.
	Name, Singular string
	// Spec describes List. It is registered as "list-deleted-" and Name.
	Spec *pagination.Spec
	// List returns a page of deleted entities.
	List func(ctx context.Context, parameters url.Values) (pagination.Page[Row], error)
	// Restore brings an entity back with what was deleted together with it, and returns it with its
	// version. It answers not_found, not_deleted and the conflicts of its kind.
	Restore func(ctx context.Context, id string) (Entity, int64, error)
	// Purge removes a deleted entity for good, with its files. It answers not_found and not_deleted.
	Purge func(ctx context.Context, id string) error
}

type rowListOutput[Row any] struct {
	Link string `header:"Link" doc:"first, prev, next, last (RFC 8288)."`
	Body pagination.Page[Row]
}

type entityOutput[Entity any] struct {
	ETag string `header:"ETag" doc:"The version, for If-Match."`
	Body Entity
}

// EntityPath names a deleted entity. It is exported because huma passes over embedded structs that are
// not.
type EntityPath struct {
	ID string `path:"id" doc:"Identifier (UUID)." example:"0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"`
}

type purgeInput struct {
	EntityPath
	Confirm string `query:"confirm" doc:"The identifier once more: there is no way back."`
}

// AddKind adds the operations on the deleted entities of a kind to the API.
func AddKind[Row, Entity any](s *Service, api huma.API, k Kind[Row, Entity]) {
	rest.Register(api, s.only(permission.ContentRestore, huma.Operation{
		OperationID: "list-deleted-" + k.Name, Method: http.MethodGet, Path: "/v1/admin/deleted/" + k.Name, Tags: []string{tagDeleted},
		Summary: "List the deleted " + k.Name, Description: "The latest deletion first. Until purge_at they can be restored.",
		Parameters:         rest.ListParameters(k.Spec),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*rowListOutput[Row], error) {
		page, err := k.List(ctx, in.Query())
		if err != nil {
			return nil, err
		}
		return &rowListOutput[Row]{rest.Links(in.Query(), page), page}, nil
	})
	rest.Register(api, s.only(permission.ContentRestore, huma.Operation{
		OperationID: "restore-" + k.Singular, Method: http.MethodPost, Path: "/v1/admin/" + k.Name + "/{id}/restore",
		Tags: []string{tagDeleted}, Summary: "Restore a deleted " + k.Singular,
		Description: "With exactly what was deleted together with it.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}), func(ctx context.Context, in *EntityPath) (*entityOutput[Entity], error) {
		if !uuid7.Valid(in.ID) {
			return nil, errNotFound
		}
		entity, version, err := k.Restore(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return &entityOutput[Entity]{`"` + strconv.FormatInt(version, 10) + `"`, entity}, nil
	})
	rest.Register(api, s.only(permission.ContentPurge, huma.Operation{
		OperationID: "purge-" + k.Singular, Method: http.MethodDelete, Path: "/v1/admin/" + k.Name + "/{id}",
		Tags: []string{tagDeleted}, Summary: "Remove a deleted " + k.Singular + " for good",
		Description:   "With all its rows and files, before its time. Only what is deleted already.",
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *purgeInput) (*struct{}, error) {
		if !uuid7.Valid(in.ID) {
			return nil, errNotFound
		}
		if in.Confirm != in.ID {
			code := fault.FieldNotAllowed
			if in.Confirm == "" {
				code = fault.FieldRequired
			}
			return nil, fault.Invalid(fault.Parameter("confirm", code, "Repeat the identifier of the path."))
		}
		return nil, k.Purge(ctx, in.ID)
	})
}

var errNotFound = fault.New(fault.NotFound, "There is nothing here.")
