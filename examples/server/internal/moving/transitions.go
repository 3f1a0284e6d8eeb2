package moving

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/sqldb"
)

// event is something that moves a move from one status to another.
type event string

const (
	eventSubmit       event = "submit"
	eventSubmitSurvey event = "submit_survey"
	eventApprove      event = "approve"
	eventAccept       event = "accept"
)

// transition is one row of the state machine.
type transition struct {
	from  []Status
	to    Status
	mode  Mode   // only for moves of this mode
	stamp string // column that takes the time
}

// transitions is the state machine: every way a move can go.
func transitions() map[event]transition {
	return map[event]transition{
		eventSubmit:       {from: []Status{InProgress}, to: AwaitingApproval, mode: ModeQuote, stamp: "submitted_at"},
		eventSubmitSurvey: {from: []Status{InProgress}, to: SurveyComplete, mode: ModeSurveyOnly, stamp: "submitted_at"},
		eventApprove:      {from: []Status{AwaitingApproval}, to: Approved, mode: ModeQuote, stamp: "approved_at"},
		eventAccept:       {from: []Status{Approved}, to: Accepted, mode: ModeQuote, stamp: "accepted_at"},
	}
}

// statement is the one UPDATE that decides whether the transition happens.
func (t transition) statement() string {
	marks := make([]string, len(t.from))
	for i := range t.from {
		marks[i] = "$" + strconv.Itoa(i+7)
	}
	return "UPDATE jobs SET status = $1, updated_at = $2, " + t.stamp + " = $3, version = version + 1" +
		" WHERE id = $4 AND company_id = $5 AND deleted_at IS NULL AND mode = $6 AND status IN (" + strings.Join(marks, ", ") + ")"
}

// The row is locked before it is read, so that "before" is what the transition starts from.
const lockRowSQL = `UPDATE jobs SET version = version WHERE id = $1 AND company_id = $2 AND deleted_at IS NULL`

// fire runs a transition and returns the move before and after it, or ErrInvalidState when its status
// does not allow the event; both are then the move as it is. Later statements of the transaction may
// still refuse: it is rolled back then.
func fire(ctx context.Context, tx sqldb.DB, e event, at Survey, now time.Time) (before, after Move, err error) {
	t, ok := transitions()[e]
	if !ok {
		return Move{}, Move{}, fmt.Errorf("moving: no transition %q", e)
	}
	if _, err := tx.Exec(ctx, lockRowSQL, at.MoveID, at.CompanyID); err != nil {
		return Move{}, Move{}, fmt.Errorf("moving: lock: %w", err)
	}
	if before, err = findMove(ctx, tx, at); err != nil {
		return Move{}, Move{}, err
	}
	args := []any{string(t.to), sqldb.At(now), sqldb.At(now), at.MoveID, at.CompanyID, string(t.mode)}
	for _, status := range t.from {
		args = append(args, string(status))
	}
	n, err := tx.Exec(ctx, t.statement(), args...)
	if err != nil {
		return Move{}, Move{}, fmt.Errorf("moving: %s: %w", e, err)
	}
	if n == 0 {
		return before, before, ErrInvalidState
	}
	after, err = findMove(ctx, tx, at)
	return before, after, err
}
