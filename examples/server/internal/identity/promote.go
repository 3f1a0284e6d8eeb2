package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/groundwork-go/groundwork/examples/server/internal/identity/roles"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/sqldb"
)

// promoteCommand is the actor of the entry in the audit trail.
const promoteCommand = "promote-admin"

// Promote makes an account an administrator for whoever can run commands on the server: nobody else
// can make the first one. It ends the account's sessions. Errors are written for the terminal: there
// is no such account, it is disabled, its address is not confirmed, or it is an administrator already.
func (s *Service) Promote(ctx context.Context, address string) error {
	email, ok := normalEmail(address)
	if !ok {
		return fmt.Errorf("%q is not an e-mail address", address)
	}
	ctx = trail.WithSystem(ctx, promoteCommand)
	var user User
	err := s.db.InTx(ctx, func(tx sqldb.DB) (err error) {
		if err := roles.Lock(ctx, tx); err != nil {
			return err
		}
		user, err = findUser(ctx, tx, selectUserByEmail, email)
		switch {
		case errors.Is(err, sql.ErrNoRows), err == nil && user.ID == deletedUserID:
			return fmt.Errorf("there is no account with the address %s", email)
		case err != nil:
			return err
		case user.DisabledAt != nil:
			return fmt.Errorf("the account %s is disabled", email)
		case user.VerifiedAt == nil:
			return fmt.Errorf("the address %s is not confirmed: use the link that was mailed to it first", email)
		case user.Role == permission.RoleAdmin:
			return fmt.Errorf("the account %s is an administrator already", email)
		}
		return s.setRole(ctx, tx, user, permission.RoleAdmin)
	})
	if err != nil {
		return err
	}
	return s.endSessions(ctx, user.ID)
}
