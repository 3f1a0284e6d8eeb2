package sqlaudit

import "github.com/groundwork-go/groundwork/audit"

// Digest returns a function that computes the link of an event again and again.
func Digest(ring *Keyring, e audit.Event) func() string {
	r := record{pos: 7, at: moment{}}
	r.at.Time.Time = e.At
	for i, s := range []string{
		e.ID, e.Tenant, e.Actor.Type, e.Actor.ID, e.Actor.Name, e.Actor.OnBehalfOf, e.Actor.Tenant, e.Action,
		e.Entity.Type, e.Entity.ID, string(e.Outcome), e.Reason, string(e.Class), e.Request.ID, e.Request.SessionID,
		e.Request.IP, e.Request.UserAgent, e.Request.Method, e.Request.Path,
	} {
		r.texts[i] = text(s)
	}
	r.texts[colChanges] = `[{"path":"/name","op":"replace","before":"a","after":"b"}]`
	h := ring.hasher()
	return func() string {
		link, err := h.event(ring.current, "", 42, "previous", &r)
		if err != nil {
			return ""
		}
		return link
	}
}
