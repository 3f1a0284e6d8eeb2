package moving

import (
	"context"
	"errors"
	"fmt"

	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/softdelete"
	"github.com/groundwork-go/groundwork/sqldb"
)

// purgeBatch is how many rows one transaction of a purge removes.
const purgeBatch = 500

const (
	// A move that has come to its end is deleted two years after its last change.
	idleMovesSQL = `
SELECT j.id FROM jobs AS j
 WHERE j.status IN ('completed', 'cancelled', 'expired', 'declined', 'survey_complete') AND j.updated_at < $1
   AND j.deleted_at IS NULL
 ORDER BY j.status, j.updated_at, j.id LIMIT $2`

	photosOfCompanySQL = `SELECT p.storage_key FROM photos AS p WHERE p.company_id = $1`

	photosOfExpiredMovesSQL = `
SELECT p.storage_key FROM photos AS p JOIN jobs AS j ON j.id = p.job_id
 WHERE j.deleted_at IS NOT NULL AND j.deleted_at < $1`

	photosOfExpiredCompaniesSQL = `
SELECT p.storage_key FROM photos AS p JOIN companies AS c ON c.id = p.company_id
 WHERE c.deleted_at IS NOT NULL AND c.deleted_at < $1`
)

// Purge deletes the moves that nobody has touched for years and removes for good what has been deleted
// for long enough: moves, rooms and items after 30 days, companies after 90, and their photos. A failure
// of one part does not keep the others from their turn.
func (s *Service) Purge(ctx context.Context) error {
	now := s.now()
	return errors.Join(
		s.deleteIdleMoves(ctx),
		s.purgeExpired(ctx, s.moves.AllTenants(), photosOfExpiredMovesSQL, sqldb.At(now.Add(-moveRetention))),
		s.purgeExpired(ctx, s.rooms.AllTenants(), "", sqldb.Time{}),
		s.purgeExpired(ctx, s.items.AllTenants(), "", sqldb.Time{}),
		s.purgeExpired(ctx, s.companies, photosOfExpiredCompaniesSQL, sqldb.At(now.Add(-companyRetention))),
	)
}

// purgeExpired purges one table and then removes the files of the photos that went along. The keys are
// read before, since the rows are gone after; a photo whose row is still there keeps its file.
func (s *Service) purgeExpired(ctx context.Context, rows softdelete.Purgeable, photos string, cutoff sqldb.Time) error {
	var keys []string
	if photos != "" {
		var err error
		if keys, err = collect(ctx, s.db, scanKey, photos, cutoff); err != nil {
			return err
		}
	}
	_, err := rows.PurgeExpired(ctx, softdelete.PurgeOptions{Batch: purgeBatch, By: trail.By(ctx)})
	if err != nil {
		err = fmt.Errorf("moving: purge %s: %w", rows.Table(), err)
	}
	return errors.Join(err, s.removeFiles(ctx, keys))
}

const photoByKeySQL = `SELECT COUNT(*) FROM photos AS p WHERE p.storage_key = $1`

// removeFiles removes the files of photos that have no row any more.
func (s *Service) removeFiles(ctx context.Context, keys []string) error {
	for _, key := range keys {
		n, err := count(ctx, s.db, photoByKeySQL, key)
		if err != nil {
			return err
		}
		if n == 0 {
			s.removeFile(ctx, key)
		}
	}
	return nil
}

func (s *Service) deleteIdleMoves(ctx context.Context) error {
	before := sqldb.At(s.now().AddDate(-idleRetention, 0, 0))
	for {
		ids, err := collect(ctx, s.db, scanKey, idleMovesSQL, before, int64(purgeBatch))
		if err != nil || len(ids) == 0 {
			return err
		}
		deleted := 0
		for _, id := range ids {
			_, err := s.moves.AllTenants().Delete(ctx, id, trail.By(ctx))
			switch {
			case err == nil:
				deleted++
			case !errors.Is(err, softdelete.ErrNotFound) && !errors.Is(err, softdelete.ErrAlreadyDeleted):
				return fmt.Errorf("moving: delete idle move: %w", err)
			}
		}
		if deleted == 0 || len(ids) < purgeBatch {
			return nil
		}
	}
}

// PurgeCompany removes a deleted company for good, with all its rows and files. Errors: ErrNotFound,
// ErrNotDeleted.
func (s *Service) PurgeCompany(ctx context.Context, id string) error {
	keys, err := collect(ctx, s.db, scanKey, photosOfCompanySQL, id)
	if err != nil {
		return err
	}
	if _, err := s.companies.Purge(ctx, id, trail.By(ctx)); err != nil {
		return deletionFault(err)
	}
	return s.removeFiles(ctx, keys)
}

func scanKey(row sqldb.Row) (key string, err error) {
	err = row.Scan(&key)
	return key, err
}

func scanID(row pagination.Scanner) (id string, err error) {
	err = row.Scan(&id)
	return id, err
}
