// Package sqlaudit keeps the trail of package audit in PostgreSQL or SQLite, and proves that it
// is what was written.
//
//	for _, statement := range sqlaudit.Statements(sqldb.DialectPostgres) {
//		_, err := db.Exec(ctx, statement)                        // or in your migrations
//	}
//	keys, err := sqlaudit.NewKeyring(sqlaudit.Key{ID: "2026", Secret: secret})
//	store, err := sqlaudit.New(sqlaudit.Config{DB: db, Keys: keys})
//	trail, err := audit.New(audit.Config{Sink: store})
//
//	err = trail.LogTo(ctx, sqlaudit.On(tx), event)               // commits with tx
//
//	sealer, err := sqlaudit.NewSealer(sqlaudit.SealerConfig{Store: store})
//	go sealer.Run(ctx)                                           // or Once from a job
//
//	report, err := store.Verify(ctx, sqlaudit.VerifyOptions{})
//	if err == nil {
//		err = report.Err()                                       // kind and position of the first fault
//	}
//
// The package never creates tables by itself. [Schema] is the DDL, for migration tools:
//
//   - audit_events: the events. A trigger refuses UPDATE; only Purge deletes
//   - audit_chain, audit_heads: the hash chain and its two ends
//   - audit_checkpoints: signed copies of heads
//   - audit_sealer, audit_gaps: how far the [Sealer] has read
//
// # Rights
//
// Give the application's role INSERT and SELECT on audit_events and nothing else here; the
// sealer's role SELECT on it and INSERT, UPDATE, SELECT and DELETE on the small tables but no DELETE
// on audit_chain; the role of Purge also DELETE on audit_events and audit_chain.
//
// # What the chain proves
//
// Each link is an HMAC over the whole event, its position and the link before. Without the key
// nobody can change, insert, remove or reorder sealed events unnoticed, nor move either end:
//
//	an event edited           content, at its position
//	an event deleted          missing, at its position
//	a link deleted            gap; links reordered: link
//	the tail cut              tail
//	a head or anchor edited   head, anchor
//	a link outside the ends   head, anchor: the event would only look sealed
//	a value of another type   content, head or checkpoint, even if it reads the same
//	another key               key
//
// Three things need more. Events that are not sealed yet are open to change: keep the interval
// short and watch [Report.Oldest]. Someone who has an old copy of a head can put it back and cut
// the chain to fit, and someone who has the key can rewrite everything: both are shown by
// checkpoints that were taken out of reach with [SealerConfig.OnCheckpoint] and are given to
// [Store.Verify]. And whoever can make the application log can log lies.
//
// # Retention
//
// [Store.Purge] removes the sealed events before a date, after verifying them, and leaves an
// authenticated anchor from which Verify goes on.
//
// # Lists and exports
//
// [Store.Query] serves pages for a [pagination.Spec] of [ListConfig]; [Store.Export] writes JSON
// lines or CSV. A [Filter] shows one tenant unless AllTenants is set.
//
// # What it does not do
//
// It has no full-text search, no partitioning and no alerting. It chains after the commit and
// never inside the business transaction: a shared chain head there would make all writers take
// turns. On SQLite open the database with sqldb.SQLiteConfig.Durable, so that an entry survives a
// power cut as soon as it is acknowledged.
package sqlaudit
