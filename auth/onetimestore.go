package auth

import (
	"context"
	"time"
)

// OneTimeRecord is a single-use token as a [OneTimeStore] keeps it.
type OneTimeRecord struct {
	Hash      string // text of the hash of purpose and token, the look-up key
	Purpose   string // what the token is good for, such as "reset_password"
	Subject   string // who may use it
	Data      string // of the application, such as the address to confirm
	ExpiresAt time.Time
}

// OneTimeStore keeps the tokens of package auth/onetime. It is declared here, beside [Store], because
// the same backends implement both. Package authtest tests every sentence; implementations must be
// safe for concurrent use by several processes.
type OneTimeStore interface {
	// Put keeps a record and forgets any other of the same purpose and subject, in one atomic step.
	Put(ctx context.Context, r OneTimeRecord) error
	// Take removes the record with this hash and returns it. However many callers ask at once, one
	// of them at most gets it. No record, a forgotten one, and one whose end is not after now are
	// ErrNotFound.
	Take(ctx context.Context, hash string, now time.Time) (OneTimeRecord, error)
	// Forget removes the record of the purpose and subject, if there is one.
	Forget(ctx context.Context, purpose, subject string) error
	// DeleteExpired removes at most limit records that ended at or before the given time and returns
	// how many. A store that drops them by itself may return 0.
	DeleteExpired(ctx context.Context, before time.Time, limit int) (int, error)
}
