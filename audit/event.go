package audit

import (
	"encoding/json"
	"slices"
	"time"
)

// Event is one entry of the trail: who did what to which thing, when, from where and with what
// result. Only Action is required; a [Logger] fills in what is missing. The JSON form is stable.
type Event struct {
	// ID is unique; sinks use it to store a repeated event once. Default: a UUIDv7.
	ID string `json:"id"`
	// At is kept in UTC and in microseconds. Default: now.
	At time.Time `json:"at"`
	// Tenant is whose trail the event belongs to. Default: Actor.Tenant.
	Tenant string `json:"tenant,omitempty"`
	// Actor is who did it. Default: the actor of the context, otherwise [ActorAnonymous].
	Actor Actor `json:"actor"`
	// Action is a verb such as "area.update". Required.
	Action string `json:"action"`
	// Entity is the thing it was done to.
	Entity Entity `json:"entity,omitzero"`
	// Outcome is Success, Failure or Denied. Default: Success.
	Outcome Outcome `json:"outcome"`
	// Reason says in words why, for example why access was denied.
	Reason string `json:"reason,omitempty"`
	// Request is where it came from. Default: the request of the context.
	Request Request `json:"request,omitzero"`
	// Changes are the changed fields. [Logger.Change] computes them.
	Changes []Change `json:"changes,omitempty"`
	// Data is anything else. A Logger turns it into plain JSON values, with numbers as
	// [json.Number].
	Data map[string]any `json:"data,omitempty"`
	// Class is Normal or Critical. Default: Normal.
	Class Class `json:"class"`
	// Truncated says that a size limit or a value without JSON form changed the event. It is set
	// by the Logger.
	Truncated bool `json:"truncated,omitempty"`
}

// Actor is who acts. ID is a reference; Name is for people and may be personal data, so leave it
// empty where names must be erasable.
type Actor struct {
	Type       string `json:"type"`
	ID         string `json:"id,omitempty"`
	Name       string `json:"name,omitempty"`
	OnBehalfOf string `json:"on_behalf_of,omitempty"` // the ID an impersonating actor acts for
	Tenant     string `json:"tenant,omitempty"`       // the actor's own tenant
}

// The usual values of Actor.Type. Others are allowed.
const (
	ActorUser      = "user"
	ActorService   = "service"
	ActorSystem    = "system"
	ActorAnonymous = "anonymous"
)

// Entity names a thing. There is no foreign key: the trail outlives what it tells about.
type Entity struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
}

// Request is where an event came from. SessionID must be the name of a session, never the secret
// that opens it. Path may hold a query: the [Redactor] masks its secret parameters.
type Request struct {
	ID        string `json:"id,omitempty"`
	SessionID string `json:"session_id,omitempty"`
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	Method    string `json:"method,omitempty"`
	Path      string `json:"path,omitempty"`
}

// Outcome is how an action ended.
type Outcome string

// The outcomes.
const (
	Success Outcome = "success"
	Failure Outcome = "failure" // it was tried and did not work
	Denied  Outcome = "denied"  // it was not allowed
)

// Class is how precious an event is.
type Class string

// The classes. A Critical event is never dropped for lack of space, never reduced to nothing by a
// policy, and its failure is always returned.
const (
	Normal   Class = "normal"
	Critical Class = "critical"
)

// Change is one changed field, in the operations of RFC 6902 with the old value beside the new.
// Changes of one list belong in their order: see [Apply].
type Change struct {
	// Path is a JSON pointer (RFC 6901); "" is the whole document.
	Path string `json:"path"`
	// Op is OpAdd, OpRemove or OpReplace.
	Op string `json:"op"`
	// Old is nil for OpAdd, New is nil for OpRemove; null is the JSON value null.
	Old json.RawMessage `json:"before,omitempty"`
	New json.RawMessage `json:"after,omitempty"`
}

// The operations of a [Change].
const (
	OpAdd     = "add"
	OpRemove  = "remove"
	OpReplace = "replace"
)

// Clone returns a copy that shares no memory with e, except for values in Data that are not
// plain JSON values.
func (e Event) Clone() Event {
	e.Changes = slices.Clone(e.Changes)
	for i, c := range e.Changes {
		e.Changes[i].Old, e.Changes[i].New = slices.Clone(c.Old), slices.Clone(c.New)
	}
	if e.Data != nil {
		e.Data = cloneTree(e.Data).(map[string]any)
	}
	return e
}

func cloneTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = cloneTree(x)
		}
		return m
	case []any:
		s := make([]any, len(v))
		for i, x := range v {
			s[i] = cloneTree(x)
		}
		return s
	}
	return v
}
