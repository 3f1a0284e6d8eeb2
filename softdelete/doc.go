// Package softdelete deletes rows so that they can come back, and removes them for good when
// their time is over. It runs unchanged on PostgreSQL and SQLite, through package sqldb.
//
//	jobs, err := softdelete.New(softdelete.Config[Job, string]{
//		DB: db, Table: "jobs", Columns: []string{"id", "name"}, Scan: scanJob,
//		Tenant:   "company_id",
//		Unique:   [][]string{{"company_id", "slug"}},
//		Children: []softdelete.Child{{Table: "rooms", ForeignKey: "job_id"}},
//	})
//	err = jobs.Check(ctx)                                  // once, at start
//
//	mine := jobs.For(companyID)                            // per request, from the credentials
//	job, err := mine.Get(ctx, id)                          // live rows only
//	page, err := mine.List(ctx, q, softdelete.OnlyDeleted) // q from package pagination
//	_, err = mine.Delete(ctx, id, userID)                  // with its rooms
//	_, err = mine.Restore(ctx, id, userID)                 // with exactly those rooms
//
// # Tables
//
// A table has three more columns: deleted_at (NULL in live rows), deleted_by and deletion_id. A
// unique value is free again once its row is deleted, because the unique index is partial; adding
// deleted_at to a plain one would not do, since NULLs are never equal. [Repository.Schema] writes
// the DDL for your migrations, and [Repository.Check] asks whether it has arrived.
//
// Let foreign keys be without ON DELETE CASCADE. They do not see soft deletion, so a new child
// could still be put under a deleted parent: call [Repository.Hold] first, in the transaction of
// the insert.
//
// # Scopes
//
// Reads see live rows unless told otherwise in the call: the zero [Scope] is [Live], and nothing
// hides in a context or a session. SQL written by hand takes its condition from
// [Repository.Where]. The scope is part of the text, so that partial indexes serve.
//
// # Deleting and restoring
//
// Each deletion has an id, and all rows it has taken carry it: the row, or the rows of DeleteMany,
// and the live children on every level. A restoration brings back the row and those of its own
// descendants with the same id. What was deleted before or after, by itself, stays deleted; times
// are not compared. Restoring is refused while a parent is deleted ([ErrParentDeleted]) or when a
// live row has taken a unique value ([ErrConflict]).
//
// Every operation is one transaction that begins with a guarded write. Of any number of parallel
// deletions or restorations exactly one succeeds; the others learn [ErrAlreadyDeleted] or
// [ErrNotDeleted], and time and actor of the first stay. An operation that fails writes nothing.
// Transactions that lost against others are repeated, unless they are the caller's.
//
// With [Repository.In] all this happens in a transaction of yours, each operation as a savepoint.
// [Config.OnChange] runs in the same transaction: an audit entry commits with the change or not
// at all.
//
// # Purging
//
// [Repository.PurgeExpired] removes rows older than the retention, oldest first, children before
// parents, in batches that are a transaction each; run it with a [Purger] or a scheduled job. The
// statement that locks the rows repeats the condition that they are deleted: a restoration that
// commits while the purge waits for the lock wins. A row deleted exactly one retention ago stays.
//
// A row is blocked, counted and left whole when a live child belongs to it, or one deleted less
// than a retention ago, or any [Restrict] child, or one behind a foreign key that was not declared.
// [Repository.Purge] removes one deleted row at once, whatever its age.
//
// # Tenants
//
// With [Config.Tenant] every statement on a table that has the column compares it, on children
// and parents as well. [Repository.For] names the tenant; without it every call is [ErrNoTenant],
// so a forgotten line shows nothing instead of everything. [Repository.AllTenants] is for purges
// and administrators, and says so where it is used.
//
// # Errors and HTTP
//
// [ErrNotFound] is 404; [ErrAlreadyDeleted] is 404, or 204 for an API where deleting twice is
// fine; [ErrNotDeleted], [ErrConflict], [ErrParentDeleted] and [ErrBlocked] are 409. To answer 410
// for a deleted row, Get it again [WithDeleted].
//
// # What it does not do
//
// It does not authorise, insert or update, and does not hide rows from SQL that forgets the
// condition: a deleted user can log in until the log-in asks for live ones. It creates no tables
// and starts nothing. Depth is what the Config lists; a tree in one table lists itself as often as
// it may be deep, at most 16 levels. It does not follow a row to files or other systems: OnChange
// gets the rows of the table itself, so put such work into a job there.
package softdelete
