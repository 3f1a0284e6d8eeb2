// Package sqlauth keeps the sessions of package auth in PostgreSQL or SQLite.
//
//	for _, statement := range sqlauth.Statements(sqlauth.Schema(dialect)) {
//		_, err := db.Exec(ctx, statement)                  // or in your migrations
//	}
//	store := sqlauth.New(db)                               // db from sqldb.Pgx, SQL or SQLite
//	svc, err := auth.New(auth.Config{Store: store, Denylist: sqlauth.NewDenylist(db), ...})
//
// The package never creates tables by itself. [Schema] and [OneTimeSchema] are the DDL, for
// migration tools:
//
//   - auth_sessions: one row per session, with hashes and salts and no usable token
//   - auth_subjects: one row per user, used only with auth.Config.MaxSessions
//   - auth_denied: the deny-list
//   - auth_one_time: the tokens of auth/onetime, in OneTimeSchema
//
// # Guarantees
//
// A successful refresh is one statement, a compare-and-swap. A refused one is judged by a second
// statement that is complete in itself: it counts a replay or ends the session under the same
// guards, so no transaction is held between them. Every statement is right under READ COMMITTED
// and REPEATABLE READ; serialization failures and deadlocks are retried. The store needs the
// primary, not a replica.
//
// Built on a transaction, of pgx or of sqldb (whose InTx gives a TxDB), a Store takes part in it, so a
// log-in or a log-out can commit together with the application's rows. A rotation does not belong in such a transaction: if it
// rolls back, so does the end of a session whose token was stolen.
package sqlauth
