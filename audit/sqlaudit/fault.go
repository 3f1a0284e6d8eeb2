package sqlaudit

import (
	"fmt"
	"time"
)

// Kind says what is wrong with a chain.
type Kind string

// The kinds.
const (
	KindContent    Kind = "content"     // the event, or its hash, is not what was sealed
	KindMissing    Kind = "missing"     // the event is gone
	KindGap        Kind = "gap"         // the link is gone
	KindLink       Kind = "link"        // the link does not follow the one before it
	KindTail       Kind = "tail"        // the chain is shorter than its head or a checkpoint says
	KindHead       Kind = "head"        // the head is missing, forged, or not that of the last link; a link beyond it
	KindAnchor     Kind = "anchor"      // the record of what was purged is forged; a link from before it
	KindCheckpoint Kind = "checkpoint"  // a checkpoint is forged, or the chain was rewritten
	KindKey        Kind = "key"         // nothing verifies: the key is most likely the wrong one
	KindUnknownKey Kind = "unknown key" // sealed with a key that the Keyring does not have
)

// Fault is the first fault of a chain. It matches [ErrTampered].
type Fault struct {
	Kind    Kind
	Chain   string
	Seq     int64  // position in the chain; 0 when it has none
	EventID string // when it is known
	Detail  string
}

// Error tells kind and position.
func (f *Fault) Error() string {
	text := fmt.Sprintf("sqlaudit: chain %q: %s at %d", f.Chain, f.Kind, f.Seq)
	if f.EventID != "" {
		text += " (event " + f.EventID + ")"
	}
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	return text
}

// Unwrap returns [ErrTampered].
func (f *Fault) Unwrap() error { return ErrTampered }

// Report is the result of [Store.Verify].
type Report struct {
	Chain string
	// From and To are the positions before and at the last link that verified.
	From, To int64
	// Hash is that of the last link that verified.
	Hash string
	// Events is the number of events that verified.
	Events int64
	// Checkpoints is the number of checkpoints that agree with the chain. Older tells how many
	// lie in a part that was purged or skipped, so that only their signatures were checked.
	Checkpoints, Older int64
	// Fault is the first fault, nil when there is none.
	Fault *Fault
	// Unsealed is the number of events that are not in their chain yet; Oldest is the time of the first.
	// It should not be much older than the sealer's interval.
	Unsealed int64
	Oldest   time.Time
}

// Err returns the fault as an error, nil when there is none.
func (r Report) Err() error {
	if r.Fault == nil {
		return nil
	}
	return r.Fault
}
