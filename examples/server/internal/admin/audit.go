package admin

import (
	"context"
	"encoding/json"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/pagination"
)

// auditList describes both lists of entries: that of the platform can be narrowed to a company.
func auditList(platform bool) pagination.Config {
	list := sqlaudit.ListConfig()
	list.Sortable[0].Name, list.DefaultSort = "created_at", "-created_at"
	filters := []pagination.Field{
		{Name: "user_id", Column: "e.actor_id", Kind: pagination.UUID},
		{Name: "action", Column: "e.action", Kind: pagination.Enum, Enum: trail.Actions()},
	}
	if platform {
		filters = append(filters, pagination.Field{Name: "company_id", Column: "e.tenant", Kind: pagination.UUID})
	}
	for _, f := range list.Filterable {
		switch f.Name {
		case "entity_type", "entity_id", "ip", "request_id", "outcome", "from", "to":
			filters = append(filters, f)
		}
	}
	list.Filterable = filters
	return list
}

// auditFilter is the part of both lists that the client does not decide.
func auditFilter(companyID string) sqlaudit.Filter {
	return sqlaudit.Filter{Tenant: companyID, AllTenants: companyID == ""}
}

// auditSelect is what package sqlaudit selects with auditFilter.
func auditSelect(companyID string) pagination.Select {
	base := pagination.Select{Columns: "e.id", From: "audit_events AS e"}
	if companyID != "" {
		base.Where, base.Args = "e.tenant = $1", []any{companyID}
	}
	return base
}

// entryJSON is one entry, the same in both lists.
type entryJSON struct {
	ID         string       `json:"id" format:"uuid"`
	At         time.Time    `json:"at"`
	UserID     *string      `json:"user_id"`
	Actor      actorJSON    `json:"actor"`
	CompanyID  *string      `json:"company_id"`
	Action     string       `json:"action" example:"update"`
	EntityType *string      `json:"entity_type" example:"company"`
	EntityID   *string      `json:"entity_id"`
	Outcome    string       `json:"outcome" enum:"success,failure,denied"`
	Reason     *string      `json:"reason"`
	IP         *string      `json:"ip"`
	UserAgent  *string      `json:"user_agent"`
	RequestID  *string      `json:"request_id"`
	SessionID  *string      `json:"session_id"`
	Changes    []changeJSON `json:"changes" nullable:"false"`
}

type actorJSON struct {
	Type string  `json:"type" enum:"user,customer,stripe,system"`
	Name *string `json:"name" doc:"The username, null when the account is gone or unknown; the queue job; platform for its staff."`
}

type changeJSON struct {
	Path   string `json:"path" doc:"JSON pointer of the changed field." example:"/name"`
	Op     string `json:"op" enum:"add,remove,replace"`
	Before any    `json:"before" doc:"Null when the field was not there. Secrets and personal data are [redacted]."`
	After  any    `json:"after"`
}

// platformName stands for whoever runs the server in the eyes of a company.
const platformName = "platform"

// entries turns events into answers. A company sees its own people by name, and of everybody else with
// an account no more than that it was the platform.
func (s *Service) entries(ctx context.Context, companyID string, page pagination.Page[audit.Event]) (pagination.Page[entryJSON], error) {
	var ids []string
	for _, e := range page.Items {
		if e.Actor.Type == audit.ActorUser && !foreign(companyID, e) {
			ids = append(ids, e.Actor.ID)
		}
	}
	names, err := s.cfg.Names(ctx, ids)
	if err != nil {
		return pagination.Page[entryJSON]{}, err
	}
	return pagination.Map(page, func(e audit.Event) entryJSON { return newEntryJSON(companyID, names, e) }), nil
}

// foreign reports whether an account acted on a company that is not its own.
func foreign(companyID string, e audit.Event) bool {
	return companyID != "" && e.Actor.Type == audit.ActorUser && e.Actor.Tenant != companyID
}

func newEntryJSON(companyID string, names map[string]string, e audit.Event) entryJSON {
	out := entryJSON{
		ID: e.ID, At: e.At, Actor: actorJSON{Type: e.Actor.Type}, CompanyID: orNull(e.Tenant), Action: e.Action,
		EntityType: orNull(e.Entity.Type), EntityID: orNull(e.Entity.ID), Outcome: string(e.Outcome), Reason: orNull(e.Reason),
		IP: orNull(e.Request.IP), UserAgent: orNull(e.Request.UserAgent), RequestID: orNull(e.Request.ID),
		SessionID: orNull(e.Request.SessionID), Changes: []changeJSON{},
	}
	switch {
	case foreign(companyID, e):
		out.Actor.Name = orNull(platformName)
		out.IP, out.UserAgent, out.SessionID = nil, nil, nil
	case e.Actor.Type == audit.ActorUser:
		out.UserID, out.Actor.Name = &e.Actor.ID, orNull(names[e.Actor.ID])
	case e.Actor.Type == audit.ActorAnonymous:
		out.Actor.Type = audit.ActorUser // one that nobody knows
	case e.Actor.Type == audit.ActorSystem:
		out.Actor.Name = orNull(e.Actor.ID)
	}
	for _, c := range e.Changes {
		out.Changes = append(out.Changes, changeJSON{c.Path, c.Op, raw(c.Old), raw(c.New)})
	}
	return out
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func raw(value json.RawMessage) any {
	if value == nil {
		return nil
	}
	return value
}
