// Package groundwork is the root of a library of independent packages for HTTP services in Go:
// the parts that most services need and few get right. It contains no code itself; import the
// packages one by one, each works without the others.
//
//   - [github.com/groundwork-go/groundwork/auth]: sessions with rotating refresh tokens, strict
//     access tokens, keys, passwords and one-time tokens
//   - [github.com/groundwork-go/groundwork/rbac]: roles, permissions with own and any, tenants,
//     policies compiled into bit sets
//   - [github.com/groundwork-go/groundwork/pagination]: signed cursors, filters, sorting, pages
//   - [github.com/groundwork-go/groundwork/softdelete]: deleting, restoring and purging rows
//   - [github.com/groundwork-go/groundwork/audit]: who changed what, sealed against later edits
//   - [github.com/groundwork-go/groundwork/vision]: photographs in, inventories out
//   - [github.com/groundwork-go/groundwork/middleware]: domain-free HTTP middleware and
//     problem+json errors
//   - [github.com/groundwork-go/groundwork/sqldb]: one SQL interface over pgx and database/sql,
//     on which every SQL store here is written once
//
// The packages share a few promises. A constructor takes one Config and starts nothing: no
// goroutine, no connection, no look at the environment. State lives behind small store
// interfaces with a public conformance suite each; stores in memory, PostgreSQL, SQLite and,
// where it makes sense, Redis pass the same suite. There are no global variables to set, no init
// functions and no functional options. Errors are sentinels or typed values to be tested with
// errors.Is and errors.As. Time comes from a clock in the Config. Values are safe for concurrent
// use unless they say otherwise.
//
// A reference server in examples/server uses all of it.
package groundwork
