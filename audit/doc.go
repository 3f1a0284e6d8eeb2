// Package audit records who did what to which thing, before and after, without secrets, and hands
// the record to sinks that do not lose it.
//
//	trail, err := audit.New(audit.Config{Sink: sqlaudit.On(db)})
//
//	err = db.InTx(ctx, func(tx sqldb.DB) error {
//		before, after, err := rename(ctx, tx, id, name)
//		if err != nil {
//			return err
//		}
//		return trail.ChangeTo(ctx, sqlaudit.On(tx), audit.Event{
//			Action: "area.update", Entity: audit.Entity{Type: "area", ID: id},
//		}, before, after)
//	})
//
// Authentication and middleware put the actor and the request into the context, with [WithActor]
// and [WithRequest]; every event takes them from there.
//
// # How sure is an entry
//
//   - [Logger.LogTo] and [Logger.ChangeTo] on the transaction of the change: there is an entry
//     exactly if there is a change. The cost is one insert.
//   - [Async.LogWait], or LogTo with [Async.Durable]: stored when it returns; parallel callers
//     share a write. For what has no transaction and must not be lost.
//   - [Logger.Log] with an [Async] sink: accepted when it returns. A crash of the process loses
//     what is in the buffer; nothing else does. A full buffer holds the caller back, a failed
//     write is repeated, and [Async.Close] tells exactly what it could not write.
//   - [Logger.Log] with a plain sink: stored when it returns.
//
// An entry does not depend on its client's patience: Log and Change go on after the request's
// context has ended, for up to [Config.Timeout]. A failed write is an error unless
// [Config.FailOpen] is set, and always one for a [Critical] event.
//
// # What an entry shows
//
// [Diff] compares two values as JSON and lists each changed field with its old and new value;
// [Apply] replays the list. Before an event leaves the goroutine of its caller, the [Redactor]
// masks secrets by name, by struct tag and by path, at any depth: the entry shows that the
// password changed, not from what to what. Texts are cleaned of what a database refuses and of
// what forges log lines, and sizes are limited, so that no request header can suppress or flood
// its own record. What was cut is marked.
//
//	type Account struct {
//		Email string `json:"email"`
//		IBAN  string `json:"iban" audit:"redact"`
//	}
//
// # Sinks
//
// [Memory], [Slog], [Multi] (several at once, each with a timeout, required or best effort),
// [Async], and package sqlaudit for PostgreSQL and SQLite, which also has queries, export, the
// keyed hash chain with its verification, and retention. Sinks recognise repeated events by id.
// Package audittest tests sinks of your own.
//
// # What it does not do
//
// It sees what it is told: a bulk UPDATE leaves no entry unless the code logs one event per row,
// in one call of LogTo. It does not recognise secrets in free text. It does not erase: keep names
// in a table of your own and references here.
package audit
