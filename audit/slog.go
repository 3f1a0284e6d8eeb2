package audit

import (
	"context"
	"errors"
	"log/slog"
)

// Slog is a [Sink] that writes each event as one record to a handler, for a log collector beside
// the table. It cannot recognise repetitions and does not write all or nothing: the reader goes
// by id. It is safe for concurrent use.
type Slog struct{ handler slog.Handler }

var _ Sink = (*Slog)(nil)

// NewSlog returns a sink on h. The handler is used whatever level it is set to, because a log
// level must not switch the trail off. Denied and failed events are warnings, others information.
func NewSlog(h slog.Handler) *Slog { return &Slog{handler: h} }

// Write implements [Sink].
func (s *Slog) Write(ctx context.Context, events []Event) error {
	var errs []error
	for _, e := range events {
		level := slog.LevelInfo
		if e.Outcome != Success {
			level = slog.LevelWarn
		}
		record := slog.NewRecord(e.At, level, "audit event", 0)
		record.AddAttrs(attrs(e)...)
		errs = append(errs, s.handler.Handle(ctx, record))
	}
	return errors.Join(errs...)
}

func attrs(e Event) []slog.Attr {
	list := make([]slog.Attr, 0, 24)
	add := func(key, value string) {
		if value != "" {
			list = append(list, slog.String(key, value))
		}
	}
	add("event_id", e.ID)
	add("tenant", e.Tenant)
	add("actor_type", e.Actor.Type)
	add("actor_id", e.Actor.ID)
	add("actor_name", e.Actor.Name)
	add("on_behalf_of", e.Actor.OnBehalfOf)
	add("actor_tenant", e.Actor.Tenant)
	add("action", e.Action)
	add("entity_type", e.Entity.Type)
	add("entity_id", e.Entity.ID)
	add("outcome", string(e.Outcome))
	add("reason", e.Reason)
	add("class", string(e.Class))
	add("request_id", e.Request.ID)
	add("session_id", e.Request.SessionID)
	add("ip", e.Request.IP)
	add("user_agent", e.Request.UserAgent)
	add("method", e.Request.Method)
	add("path", e.Request.Path)
	if len(e.Changes) > 0 {
		add("changes", string(marshal(e.Changes)))
	}
	if len(e.Data) > 0 {
		add("data", string(encode(e.Data)))
	}
	if e.Truncated {
		list = append(list, slog.Bool("truncated", true))
	}
	return list
}

// marshal writes changes as one JSON text.
func marshal(changes []Change) []byte {
	list := make([]any, len(changes))
	for i, c := range changes {
		list[i] = c
	}
	return encode(list)
}
