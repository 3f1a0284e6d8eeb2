package moving

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/softdelete"
)

// MoveRow is a move in a list.
type MoveRow struct {
	Move
	Photos int64
}

func (s *Service) wireLists(reg *lists.Registry) error {
	var errs [4]error
	s.moveList, errs[0] = reg.Add("list-jobs", moveList(), moveSelect(lists.SampleID, false), moveSelect(lists.SampleID, true))
	s.roomList, errs[1] = reg.Add("list-rooms", shortList("id"))
	s.variantList, errs[2] = reg.Add("list-variants", shortList("group"))
	s.deletedCompanyList, errs[3] = s.addDeletedCompanies(reg)
	return errors.Join(errs[:]...)
}

func (s *Service) addDeletedCompanies(reg *lists.Registry) (*pagination.Spec, error) {
	base, err := s.companies.Select(softdelete.OnlyDeleted, "")
	if err != nil {
		return nil, err
	}
	return reg.Add("list-deleted-companies", pagination.Config{
		Sortable:    []pagination.Field{{Name: "deleted_at", Column: "companies.deleted_at", Kind: pagination.Time}},
		DefaultSort: "-deleted_at",
		TieBreaker:  pagination.Field{Name: "id", Column: "companies.id", Kind: pagination.UUID},
		Search:      pagination.Search{Columns: []string{"companies.search"}},
	}, base)
}

// shortList is a list that is in memory and has one order. By default it is one page.
func shortList(key string) pagination.Config {
	return pagination.Config{
		TieBreaker: pagination.Field{Name: key, Column: "memory." + key}, Mode: pagination.PageOnly, DefaultSize: 100,
	}
}

func moveList() pagination.Config {
	return pagination.Config{
		Sortable: []pagination.Field{
			{Name: "created_at", Column: "j.created_at", Kind: pagination.Time},
			{Name: "submitted_at", Column: "j.submitted_at", Kind: pagination.Time, Nullable: true},
		},
		Filterable: []pagination.Field{{
			Name: "status", Column: "j.status", Kind: pagination.Enum,
			Ops: []pagination.Op{pagination.Eq, pagination.In},
			Enum: []string{
				string(InProgress), string(SurveyComplete), string(AwaitingApproval), string(Approved), string(Accepted),
			},
		}},
		DefaultSort: "-created_at",
		TieBreaker:  pagination.Field{Name: "id", Column: "j.id", Kind: pagination.UUID},
		Search:      pagination.Search{Columns: []string{"j.search"}},
	}
}

// moveSelect selects the moves of a company, the live or the deleted ones.
func moveSelect(companyID string, deleted bool) pagination.Select {
	where := "j.company_id = $1 AND j.deleted_at IS NULL"
	if deleted {
		where = "j.company_id = $1 AND j.deleted_at IS NOT NULL"
	}
	return pagination.Select{
		Columns: moveColumns() + `, (SELECT COUNT(*) FROM photos AS p WHERE p.job_id = j.id)`,
		From:    "jobs AS j",
		Where:   where,
		Args:    []any{companyID},
	}
}

// Moves returns a page of the moves of a company: the live ones, or with the parameter "deleted" the
// deleted ones for those who may restore them. Faults of the parameters are a 422.
func (s *Service) Moves(ctx context.Context, companyID string, parameters url.Values) (pagination.Page[MoveRow], error) {
	parameters, deleted, err := deletedParameter(parameters)
	if err != nil {
		return pagination.Page[MoveRow]{}, err
	}
	if deleted && !mayRestore(ctx) {
		return pagination.Page[MoveRow]{}, ErrForbidden
	}
	query, err := s.moveList.Parse(parameters, companyID, strconv.FormatBool(deleted))
	if err != nil {
		return pagination.Page[MoveRow]{}, err
	}
	return lists.Page(ctx, s.db, query, moveSelect(companyID, deleted), scanMoveRow)
}

func scanMoveRow(row pagination.Scanner) (MoveRow, error) {
	var r MoveRow
	var err error
	r.Move, err = scanMove(withLast{row, &r.Photos})
	return r, err
}

// withLast scans one column more than its user asks for.
type withLast struct {
	pagination.Scanner
	last any
}

// Scan reads the columns of dest and then the last one.
func (w withLast) Scan(dest ...any) error { return w.Scanner.Scan(append(dest, w.last)...) }

const countPhotosSQL = `SELECT COUNT(*) FROM photos AS p WHERE p.job_id = $1 AND p.company_id = $2`

// MoveDetail is a move as staff see it. Of a survey that is still open they see no more than the row.
type MoveDetail struct {
	MoveRow
	Rooms []Room
}

// Move returns a move of the company. ErrNotFound for one of another company.
func (s *Service) Move(ctx context.Context, at Survey) (MoveDetail, error) {
	move, err := findMove(ctx, s.db, at)
	if err != nil {
		return MoveDetail{}, err
	}
	detail := MoveDetail{MoveRow: MoveRow{Move: move}}
	if detail.Photos, err = count(ctx, s.db, countPhotosSQL, at.MoveID, at.CompanyID); err != nil {
		return MoveDetail{}, err
	}
	if move.Status == InProgress {
		return detail, nil
	}
	detail.Rooms, err = listRooms(ctx, s.db, at)
	return detail, err
}
