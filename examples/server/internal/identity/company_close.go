package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/sqldb"
)

type closeInput struct {
	Precondition
	Body struct {
		Password string `json:"password" minLength:"1" maxLength:"1024" example:"Correct-horse-7"`
	}
}

func (s *Service) registerClosing(api huma.API) {
	op := rest.Permitted(permission.CompanyDelete, huma.Operation{
		OperationID: "close-company", Method: http.MethodDelete, Path: "/v1/company", Tags: []string{tagPeople},
		Summary: "Close the company",
		Description: "Deletes it with its memberships and moves, revokes the survey tokens and ends the members' sessions; the " +
			"accounts stay. An administrator can restore it for ninety days. Not while moves are accepted or booked.",
		DefaultStatus: http.StatusAccepted, Middlewares: huma.Middlewares{rest.Use(s.RequirePermission(permission.CompanyDelete))},
		Errors: []int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusPreconditionFailed,
			http.StatusUnprocessableEntity,
		},
	})
	rest.Register(api, op, func(ctx context.Context, in *closeInput) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, s.CloseCompany(ctx, access, match, in.Body.Password)
	})
}

const membersOf = `SELECT m.user_id FROM company_members AS m WHERE m.company_id = $1 AND m.deleted_at IS NULL`

// CloseCompany deletes the company of whoever is signed in and ends the sessions of everybody in it.
// Errors: ErrWrongPassword and those of Companies.Close.
func (s *Service) CloseCompany(ctx context.Context, access Access, match rest.Match, secret string) error {
	if err := s.checkPassword(ctx, access.User, secret); err != nil {
		return err
	}
	var members []string
	err := s.db.InTx(ctx, func(tx sqldb.DB) error {
		if _, err := tx.Exec(ctx, lockOwners, access.Company.ID); err != nil {
			return fmt.Errorf("identity: lock owners: %w", err)
		}
		var err error
		if members, err = userIDs(ctx, tx, membersOf, access.Company.ID); err != nil {
			return err
		}
		return s.companies.Close(ctx, tx, access.Company.ID, match)
	})
	if err != nil {
		return err
	}
	var faults []error
	for _, id := range members {
		faults = append(faults, s.endSessions(ctx, id))
	}
	return errors.Join(faults...)
}

func userIDs(ctx context.Context, db sqldb.DB, query string, args ...any) (ids []string, err error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("identity: members: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("identity: members: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
