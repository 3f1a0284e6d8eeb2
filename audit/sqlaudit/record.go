package sqlaudit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/sqldb"
)

// record is a row of audit_events with its texts exactly as they are stored.
type record struct {
	pos       int64
	at        moment
	texts     [textCount]text
	truncated flag
}

// The text columns of audit_events, in the order of the table and of the digest.
const (
	colID = iota
	colTenant
	colActorType
	colActorID
	colActorName
	colOnBehalfOf
	colActorTenant
	colAction
	colEntityType
	colEntityID
	colOutcome
	colReason
	colClass
	colRequestID
	colSessionID
	colIP
	colUserAgent
	colMethod
	colPath
	colChanges
	colData
	textCount
)

const eventColumns = `e.pos, e.at, e.id, e.tenant, e.actor_type, e.actor_id, e.actor_name, e.on_behalf_of,
	e.actor_tenant, e.action, e.entity_type, e.entity_id, e.outcome, e.reason, e.class, e.request_id,
	e.session_id, e.ip, e.user_agent, e.method, e.path, e.changes, e.data,
	CASE e.truncated WHEN TRUE THEN 1 WHEN FALSE THEN 0 ELSE 2 END AS truncated`

// dest returns the scan targets for eventColumns, after others.
func (r *record) dest(before ...any) []any {
	list := append(make([]any, 0, len(before)+textCount+3), before...)
	list = append(list, &r.pos, &r.at)
	for i := range r.texts {
		list = append(list, &r.texts[i])
	}
	return append(list, &r.truncated)
}

var errStored = errors.New("sqlaudit: not a value that was stored by this package")

// text scans text and nothing else. SQLite would give a BLOB of the same bytes to a string,
// although no comparison in SQL finds it.
type text string

// Scan implements sql.Scanner.
func (t *text) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return errStored
	}
	*t = text(s)
	return nil
}

// moment scans a time. On SQLite, where it is a text, only the one form that is written is read.
type moment struct{ sqldb.Time }

// Scan implements sql.Scanner.
func (m *moment) Scan(src any) error {
	if _, blob := src.([]byte); blob || src == nil {
		return errStored
	}
	if err := m.Time.Scan(src); err != nil {
		return err
	}
	if s, ok := src.(string); ok && s != m.Format(sqldb.TimeLayout) {
		return errStored
	}
	return nil
}

// number scans an integer and nothing else. SQLite keeps any value in an INTEGER column.
type number int64

// Scan implements sql.Scanner.
func (n *number) Scan(src any) error {
	i, ok := src.(int64)
	if !ok {
		return errStored
	}
	*n = number(i)
	return nil
}

// flag scans the CASE of eventColumns. A bool would take each of the values that SQLite can keep in
// a BOOLEAN column for one of two.
type flag bool

// Scan implements sql.Scanner.
func (f *flag) Scan(src any) error {
	var n number
	if err := n.Scan(src); err != nil || n != 0 && n != 1 {
		return errStored
	}
	*f = n == 1
	return nil
}

// readRecords runs a query for eventColumns.
func readRecords(ctx context.Context, db sqldb.DB, query string, args ...any) ([]record, error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []record
	for rows.Next() {
		var r record
		if err := rows.Scan(r.dest()...); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// newRecord is the row of an event, without its position.
func newRecord(e *audit.Event) (record, error) {
	year := e.At.UTC().Year()
	if e.ID == "" || e.Action == "" || e.At.IsZero() || year < 1 || year > 9999 {
		return record{}, fmt.Errorf("sqlaudit: %w: %w", audit.ErrRejected, audit.ErrInvalidEvent)
	}
	changes, data := "", ""
	var err error
	if len(e.Changes) > 0 {
		if changes, err = encode(e.Changes); err != nil {
			return record{}, fmt.Errorf("sqlaudit: changes: %w: %w", audit.ErrRejected, err)
		}
	}
	if len(e.Data) > 0 {
		if data, err = encode(e.Data); err != nil {
			return record{}, fmt.Errorf("sqlaudit: data: %w: %w", audit.ErrRejected, err)
		}
	}
	r := record{at: moment{sqldb.At(e.At)}, truncated: flag(e.Truncated)}
	for i, s := range [textCount]string{
		e.ID, e.Tenant, e.Actor.Type, e.Actor.ID, e.Actor.Name, e.Actor.OnBehalfOf, e.Actor.Tenant,
		e.Action, e.Entity.Type, e.Entity.ID, string(e.Outcome), e.Reason, string(e.Class), e.Request.ID,
		e.Request.SessionID, e.Request.IP, e.Request.UserAgent, e.Request.Method, e.Request.Path, changes, data,
	} {
		// A Logger has cleaned the texts already; events from elsewhere must not fail on PostgreSQL only.
		r.texts[i] = text(sqldb.CleanText(s))
	}
	return r, nil
}

// args are the values of insertColumns.
func (r *record) args() []any {
	list := make([]any, 0, textCount+2)
	list = append(list, r.at.Time)
	for _, s := range r.texts {
		list = append(list, string(s))
	}
	return append(list, bool(r.truncated))
}

func encode(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", audit.ErrUnencodable
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte{'\n'})), nil
}

func (r *record) event() (audit.Event, error) {
	at := func(i int) string { return string(r.texts[i]) }
	e := audit.Event{
		ID: at(colID), At: r.at.Time.Time, Tenant: at(colTenant), Action: at(colAction),
		Actor: audit.Actor{
			Type: at(colActorType), ID: at(colActorID), Name: at(colActorName),
			OnBehalfOf: at(colOnBehalfOf), Tenant: at(colActorTenant),
		},
		Entity:  audit.Entity{Type: at(colEntityType), ID: at(colEntityID)},
		Outcome: audit.Outcome(at(colOutcome)), Reason: at(colReason), Class: audit.Class(at(colClass)),
		Request: audit.Request{
			ID: at(colRequestID), SessionID: at(colSessionID), IP: at(colIP),
			UserAgent: at(colUserAgent), Method: at(colMethod), Path: at(colPath),
		},
		Truncated: bool(r.truncated),
	}
	if s := at(colChanges); s != "" {
		if err := json.Unmarshal([]byte(s), &e.Changes); err != nil {
			return audit.Event{}, fmt.Errorf("%w: changes of %s", errStored, e.ID)
		}
	}
	if s := at(colData); s != "" {
		dec := json.NewDecoder(bytes.NewReader([]byte(s)))
		dec.UseNumber()
		if err := dec.Decode(&e.Data); err != nil {
			return audit.Event{}, fmt.Errorf("%w: data of %s", errStored, e.ID)
		}
	}
	return e, nil
}
