package sqlaudit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Filter narrows a query or an export. Empty fields do not, except Tenant.
type Filter struct {
	// Tenant is whose events are wanted. An empty one means those without a tenant: to see the
	// events of all tenants takes AllTenants, so that a forgotten tenant shows nobody else's.
	Tenant     string
	AllTenants bool

	ActorType, ActorID   string
	Action               string
	EntityType, EntityID string
	Outcome              audit.Outcome
	Class                audit.Class
	RequestID, SessionID string
	IP                   string
	// From and To are a half-open range of times: From <= at < To.
	From, To time.Time
}

// where returns the condition and its arguments.
func (f Filter) where() (string, []any) {
	var conds []string
	var args []any
	add := func(cond string, arg any) {
		args = append(args, arg)
		conds = append(conds, strings.Replace(cond, "?", "$"+strconv.Itoa(len(args)), 1))
	}
	if !f.AllTenants {
		add("e.tenant = ?", f.Tenant)
	}
	for _, c := range []struct{ cond, value string }{
		{"e.actor_type = ?", f.ActorType},
		{"e.actor_id = ?", f.ActorID},
		{"e.action = ?", f.Action},
		{"e.entity_type = ?", f.EntityType},
		{"e.entity_id = ?", f.EntityID},
		{"e.outcome = ?", string(f.Outcome)},
		{"e.class = ?", string(f.Class)},
		{"e.request_id <> '' AND e.request_id = ?", f.RequestID}, // the index is on those
		{"e.session_id = ?", f.SessionID},
		{"e.ip = ?", f.IP},
	} {
		if c.value != "" {
			add(c.cond, sqldb.CleanText(c.value))
		}
	}
	if !f.From.IsZero() {
		add("e.at >= ?", sqldb.At(f.From))
	}
	if !f.To.IsZero() {
		add("e.at < ?", sqldb.At(f.To))
	}
	return strings.Join(conds, " AND "), args
}

// ListConfig describes the list of events for [pagination.NewSpec]: newest first, 50 a page, with
// the filters actor_id, actor_type, action, entity_type, entity_id, outcome, class, request_id,
// session_id, ip, from and to. Add a Keyring; change what you like but the columns.
func ListConfig() pagination.Config {
	list := pagination.Config{
		Sortable:    []pagination.Field{{Name: "at", Column: "e.at", Kind: pagination.Time}},
		DefaultSort: "-at",
		TieBreaker:  pagination.Field{Name: "id", Column: "e.id"},
		DefaultSize: 50,
	}
	for _, name := range []string{
		"actor_id", "actor_type", "action", "entity_type", "entity_id", "request_id", "session_id", "ip",
	} {
		list.Filterable = append(list.Filterable, pagination.Field{Name: name, Column: "e." + name})
	}
	return withMore(list)
}

func withMore(list pagination.Config) pagination.Config {
	list.Filterable = append(list.Filterable,
		pagination.Field{
			Name: "outcome", Column: "e.outcome", Kind: pagination.Enum,
			Enum: []string{string(audit.Success), string(audit.Failure), string(audit.Denied)},
		},
		pagination.Field{
			Name: "class", Column: "e.class", Kind: pagination.Enum,
			Enum: []string{string(audit.Normal), string(audit.Critical)},
		},
		pagination.Field{Name: "from", Column: "e.at", Kind: pagination.Time, Ops: []pagination.Op{pagination.Ge}},
		pagination.Field{Name: "to", Column: "e.at", Kind: pagination.Time, Ops: []pagination.Op{pagination.Lt}},
	)
	return list
}

// Query returns one page of events. The Filter is the caller's part, what q was parsed from is
// the client's; both apply. Q comes from a Spec of [ListConfig], parsed with the tenant as its
// scope.
func (s *Store) Query(ctx context.Context, f Filter, q pagination.Query) (pagination.Page[audit.Event], error) {
	none := pagination.Page[audit.Event]{Items: []audit.Event{}}
	where, args := f.where()
	base := pagination.Select{Columns: eventColumns, From: "audit_events AS e", Where: where, Args: args}
	q, err := q.Count(ctx, base, func(ctx context.Context, query string, args ...any) (n int64, err error) {
		err = s.db.QueryRow(ctx, query, args...).Scan(&n)
		return n, err
	})
	if err != nil {
		return none, fmt.Errorf("sqlaudit: count events: %w", err)
	}
	query, args, err := q.SQL(base)
	if err != nil {
		return none, fmt.Errorf("sqlaudit: query events: %w", err)
	}
	rows, err := s.db.Query(ctx, query, args...)
	if err != nil {
		return none, fmt.Errorf("sqlaudit: query events: %w", err)
	}
	page, err := pagination.Collect(rows, q, func(row pagination.Scanner) (audit.Event, error) {
		var r record
		if err := row.Scan(r.dest()...); err != nil {
			return audit.Event{}, err
		}
		return r.event()
	})
	if err != nil {
		return none, fmt.Errorf("sqlaudit: query events: %w", err)
	}
	return page, nil
}
