// Package roles keeps what the roles of this server grant, and judges who may change that or give a
// role to somebody.
package roles

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/lists"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Faults of this domain.
var (
	ErrForbidden    = fault.New(fault.Forbidden, "Your role does not allow this.")
	ErrEscalation   = fault.New(fault.Escalation, "This takes permissions that you do not have yourself.")
	ErrUnknownRole  = fault.New(fault.NotFound, "There is no such role.")
	ErrNameTaken    = fault.New(fault.NameTaken, "There is a role of this name.")
	ErrBuiltIn      = fault.New(fault.BuiltIn, "This role belongs to the server.")
	ErrInUse        = fault.New(fault.InUse, "Accounts have this role, deleted ones perhaps, or other roles include it.")
	ErrStaleVersion = fault.New(fault.StaleVersion, "Roles have changed meanwhile. Read them again.")
	ErrNoIfMatch    = fault.New(fault.IfMatchRequired, "Send If-Match with the ETag of the roles you have seen.")
	ErrUnavailable  = fault.New(fault.Unavailable, "Roles cannot be looked up right now. Try again in a moment.")
)

const (
	// pollInterval is how soon another replica's change of a role counts here, maxStaleness how long
	// requests are answered by what is known when the database is silent.
	pollInterval = 5 * time.Second
	maxStaleness = time.Minute
)

// Config is what a [Service] needs. All fields without a default are required.
type Config struct {
	DB    sqldb.TxDB
	Audit *audit.Logger
	// Lists takes the lists of this domain.
	Lists *lists.Registry

	Now    func() time.Time // Default time.Now.
	Logger *slog.Logger     // Default silent.
}

// Service knows what roles grant and changes it. It is safe for concurrent use.
type Service struct {
	db      sqldb.TxDB
	audit   *audit.Logger
	checker *rbac.Checker
	list    *pagination.Spec // of roles; that of permissions takes the same parameters
	now     func() time.Time
	logger  *slog.Logger
}

// New returns a Service. It does no I/O; start its Run.
func New(cfg Config) (*Service, error) {
	s := &Service{db: cfg.DB, audit: cfg.Audit, now: cfg.Now, logger: cfg.Logger}
	if s.now == nil {
		s.now = time.Now
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	var err error
	s.checker, err = rbac.New(rbac.Config{
		Registry: permission.Registry(), Store: NewStore(cfg.DB), Now: s.now, OnEvent: s.onEvent,
		PollInterval: pollInterval, MaxStaleness: maxStaleness,
		SkipUnknownGrants: true, // replicas of the next release may have written them
	})
	if err != nil {
		return nil, fmt.Errorf("roles: %w", err)
	}
	byName := pagination.Config{
		TieBreaker: pagination.Field{Name: "name", Column: "memory.name"}, Mode: pagination.PageOnly,
	}
	_, err = cfg.Lists.Add("list-permissions", byName)
	if err == nil {
		s.list, err = cfg.Lists.Add("list-roles", byName)
	}
	if err != nil {
		return nil, fmt.Errorf("roles: %w", err)
	}
	return s, nil
}

// Policy returns what roles grant at the moment, as this process knows it: a change made through this
// Service counts at once, one made elsewhere after five seconds. When the database has been silent for
// a minute there is none: ErrUnavailable.
func (s *Service) Policy(ctx context.Context) (*rbac.Policy, error) {
	policy, err := s.checker.Policy(ctx, "")
	return policy, Fault(err)
}

// Reload reads the roles now. Call it at start-up to fail early.
func (s *Service) Reload(ctx context.Context) error { return s.checker.Reload(ctx) }

// Run keeps the roles up to date until ctx ends, and returns nil then.
func (s *Service) Run(ctx context.Context) error {
	if err := s.checker.Run(ctx); ctx.Err() == nil {
		return fmt.Errorf("roles: %w", err)
	}
	return nil
}

// onEvent tells operators what makes answers doubtful.
func (s *Service) onEvent(ctx context.Context, e rbac.Event) {
	level := slog.LevelWarn
	switch e.Type {
	case rbac.EventReloadFailed, rbac.EventVersionBackwards:
		level = slog.LevelError
	case rbac.EventServedStale, rbac.EventUnknownGrant, rbac.EventUnknownRole:
	default:
		return
	}
	if ctx.Err() != nil {
		return // the process is stopping
	}
	s.logger.LogAttrs(ctx, level, "roles", slog.String("event", string(e.Type)),
		slog.Uint64("version", e.Version), slog.String("role", e.Role.String()), slog.Any("error", e.Err))
}

// MayHandle reports whether an account may do what the permission is about to an account with the role
// present, and give it the other ones. The rules are those of [rbac.Manager]: it holds the permission
// and everything that the roles grant, where what every account may do is nobody's privilege. It is
// asked inside the transaction of the change, behind [Lock], and reads the actor's own role there.
// Errors: ErrForbidden, ErrEscalation, and [rbac.ErrUnknownRole] for one of given.
func MayHandle(ctx context.Context, tx sqldb.DB, actorID string, p rbac.Permission, present string, given ...string) error {
	actor, store, err := actorIn(ctx, tx, actorID)
	if err != nil {
		return err
	}
	manager, err := rbac.NewManager(rbac.ManagerConfig{
		Registry: permission.Registry(), Store: store, Assign: p, SkipUnknownGrants: true,
	})
	if err != nil {
		return fmt.Errorf("roles: %w", err)
	}
	actor = actor.Policy().Subject(rbac.AnyTenant, actorID, append(names(actor), permission.RoleUser)...)
	for i, role := range append([]string{present}, given...) {
		err := manager.MayAssign(ctx, actor, rbac.AnyTenant, rbac.RoleID{Name: role})
		switch {
		case errors.Is(err, rbac.ErrUnknownRole) && i == 0: // a role that is not defined grants nothing
		case errors.Is(err, rbac.ErrUnknownRole):
			return err
		case err != nil:
			return Fault(err)
		}
	}
	return nil
}

func names(subject rbac.Subject) (list []string) {
	for _, id := range subject.Roles() {
		list = append(list, id.Name)
	}
	return list
}

// actorIn returns who acts, as the transaction sees it, with the Store on the transaction.
func actorIn(ctx context.Context, tx sqldb.DB, actorID string) (rbac.Subject, *Store, error) {
	inTx, ok := tx.(sqldb.TxDB)
	if !ok {
		return rbac.Subject{}, nil, errors.New("roles: not a transaction")
	}
	store := NewStore(inTx)
	checker, err := rbac.New(rbac.Config{Registry: permission.Registry(), Store: store, SkipUnknownGrants: true})
	if err != nil {
		return rbac.Subject{}, nil, fmt.Errorf("roles: %w", err)
	}
	actor, err := checker.Fresh(ctx, rbac.AnyTenant, actorID)
	return actor, store, Fault(err)
}

// Fault turns what package rbac says into an answer. Other errors stay as they are.
func Fault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, rbac.ErrDenied), errors.Is(err, rbac.ErrNoSubject):
		return ErrForbidden
	case errors.Is(err, rbac.ErrEscalation):
		return ErrEscalation
	case errors.Is(err, rbac.ErrUnknownRole):
		return ErrUnknownRole
	case errors.Is(err, rbac.ErrRoleInUse):
		return ErrInUse
	case errors.Is(err, rbac.ErrConflict):
		return ErrStaleVersion
	case errors.Is(err, rbac.ErrStale), errors.Is(err, rbac.ErrUnavailable):
		return ErrUnavailable.With("", err)
	}
	return err
}
