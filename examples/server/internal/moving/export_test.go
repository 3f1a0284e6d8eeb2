package moving

import (
	"context"
	"errors"
)

// CheckDeletion asks the database whether its tables suit the repositories.
func (s *Service) CheckDeletion(ctx context.Context) error {
	return errors.Join(s.moves.Check(ctx), s.rooms.Check(ctx), s.items.Check(ctx), s.companies.Check(ctx))
}
