// Package rbac decides who may do what: roles with inheritance and patterns, permissions in the
// sizes own and any, tenants, and administrators who cannot give more than they have.
//
//	registry := rbac.NewRegistry()                                 // everything that can be permitted
//	readArea := registry.MustDefine("area:read", "See areas.")
//	editNote := registry.MustDefineScoped("note:edit", "Change notes.")
//
//	checker, err := rbac.New(rbac.Config{
//		Registry: registry,
//		Store:    store,                                           // sqlrbac.New(db), or NewMemoryStore
//		Identify: func(r *http.Request) (tenant, subject string, err error) { ... },
//	})
//	go checker.Run(ctx)                                            // follows changes of roles
//
//	mux.Handle("GET /areas", rbac.Require(readArea)(areas))        // 401 or 403 for others
//	server.Handler = checker.Resolve(mux)                          // behind authentication
//
//	subject, _ := rbac.SubjectFrom(ctx)                            // in a handler
//	if !subject.CanOn(editNote, note.AuthorID) { ... }
//
// # Permissions
//
// A [Registry] is the closed list of permissions, defined in code and named resource:action. The
// program keeps the handles: a [Permission] cannot be misspelt, and what is not in the list can be
// neither granted nor checked. Nothing is permitted that no role grants; there are no deny rules, no
// switch that lets everybody in, and no expressions, so the answer to "who can do this?" is a list.
//
// A [Scoped] permission comes in two sizes, resource:action:own and resource:action:any. Any
// includes own. [Subject.CanOn] decides about one thing and its owner; an empty owner matches nobody.
// [Subject.ScopeOf] tells a list query whether to return all rows, the subject's, or none.
//
// # Roles
//
// A [Role] grants permissions and patterns, and inherits other roles. Patterns exist in grants only
// and are worked out against the registry when the roles are compiled; [Policy.Effective] lists what
// they mean and [Policy.Diff] what a new release makes them mean. [Compile] refuses unknown
// permissions, patterns that match nothing, and cycles, whose path it names.
//
// A compiled [Policy] is one bit set per role and never changes. A check reads a word per role of the
// subject: a few nanoseconds, no allocation, however many roles and permissions there are. That is
// why this package caches no decisions, and so serves no stale ones.
//
// # Tenants
//
// A tenant is always an argument, never a setting. A role is global or belongs to one tenant; a
// tenant's role may inherit global ones, never another tenant's. An [Assignment] gives a role in one
// tenant, outside of any ("" matches no tenant), or, written out, in [AnyTenant]. A role name that
// comes from elsewhere, such as a token, means the tenant's role or else the global one
// ([Policy.Subject]).
//
// # Freshness
//
// A [Checker] reads roles and assignments from a store. [Checker.Run] polls the version of the
// roles and swaps the policy in one step; a [Subject] keeps the policy it began with, so the answers
// within a request agree. A change made through a [Manager] with the same Checker counts at once,
// one made elsewhere after at most PollInterval (roles) and SubjectTTL (assignments). When the store
// is silent the last answers hold for MaxStaleness, and then nothing is permitted: [ErrStale], 503.
// [Checker.Fresh] asks the store now.
//
// # Administration
//
// A [Manager] changes roles and assignments for an actor. It refuses what would give anybody more
// than the actor holds ([ErrEscalation]), what touches somebody stronger, what was judged by
// outdated roles ([ErrConflict]) and what would leave a tenant without anybody who can assign roles
// ([ErrLastManager]). Stores check these conditions in the same atomic step as the change. The first
// manager is put there by a migration or by [Store] itself, with a zero [Guard].
//
// # Stores
//
// [MemoryStore] is in this package, rbac/sqlrbac keeps roles in PostgreSQL and SQLite, and
// rbac/rbactest tests any other. A program that has a role column in its user table implements
// [Reader], three methods.
//
// # What it does not do
//
// It does not authenticate; Config.Identify asks whoever does. It does not keep rights on single
// objects: what belongs to whom is in the rows themselves, and own and any decide on them. For
// policies over arbitrary attributes use a policy language.
package rbac
