package rbac

import (
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
)

// MaxPermissions bounds a registry.
const MaxPermissions = 65_536

// Registry is the closed list of everything that can be permitted. A program defines its
// permissions once, at start-up, and keeps the handles; the first [Compile] closes the registry.
// Nothing outside the list can be granted or checked, so a misspelt permission is an error at
// start-up and not a door that never opens. Safe for concurrent use.
type Registry struct {
	mu     sync.RWMutex
	closed atomic.Bool // set under mu; what follows is then read without it
	defs   []definition
	index  map[string]uint32
	pairs  []pair
}

type definition struct{ name, description string }

// pair holds the indexes of the two permissions of a Scoped.
type pair struct{ own, any uint32 }

// NewRegistry returns an empty Registry.
func NewRegistry() *Registry {
	return &Registry{index: map[string]uint32{}}
}

// Permission is the handle of one permission of a [Registry], to be kept in a variable and compared
// with ==. The zero Permission is held by nobody, and neither is one of another registry.
type Permission struct {
	reg   *Registry
	index uint32
}

// Scoped is a permission in two sizes: for what the subject owns, and for anything. Whoever holds
// Any holds Own too.
type Scoped struct {
	Own Permission // named resource:action:own
	Any Permission // named resource:action:any
}

// Define adds a permission named resource:action: two to four segments of a-z, 0-9, _ and -, each
// beginning with a letter and at most 64 bytes long. A last segment "own" or "any" is for
// [Registry.DefineScoped]. Errors: [ErrInvalidName], [ErrDuplicate], [ErrClosed], [ErrLimit].
func (r *Registry) Define(name, description string) (Permission, error) {
	if n, ok := segments(name); !ok || n < 2 || n > maxSegments || scopeSuffix(name) {
		return Permission{}, fmt.Errorf("%w: permission %q", ErrInvalidName, name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.vacant(name); err != nil {
		return Permission{}, err
	}
	return r.add(name, description), nil
}

// DefineScoped adds the two permissions name:own and name:any. The name has two or three segments,
// otherwise it is like Define's.
func (r *Registry) DefineScoped(name, description string) (Scoped, error) {
	if n, ok := segments(name); !ok || n < 2 || n >= maxSegments || scopeSuffix(name) {
		return Scoped{}, fmt.Errorf("%w: scoped permission %q", ErrInvalidName, name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.vacant(name+":own", name+":any"); err != nil {
		return Scoped{}, err
	}
	s := Scoped{Own: r.add(name+":own", description), Any: r.add(name+":any", description)}
	r.pairs = append(r.pairs, pair{own: s.Own.index, any: s.Any.index})
	return s, nil
}

// MustDefine is Define for start-up code. Panics if Define fails.
func (r *Registry) MustDefine(name, description string) Permission {
	p, err := r.Define(name, description)
	if err != nil {
		panic(err)
	}
	return p
}

// MustDefineScoped is DefineScoped for start-up code. Panics if DefineScoped fails.
func (r *Registry) MustDefineScoped(name, description string) Scoped {
	s, err := r.DefineScoped(name, description)
	if err != nil {
		panic(err)
	}
	return s
}

func (r *Registry) vacant(names ...string) error {
	if r.closed.Load() {
		return fmt.Errorf("%w: permission %q", ErrClosed, names[0])
	}
	if len(r.defs)+len(names) > MaxPermissions {
		return fmt.Errorf("%w: more than %d permissions", ErrLimit, MaxPermissions)
	}
	for _, name := range names {
		if _, ok := r.index[name]; ok {
			return fmt.Errorf("%w: permission %q", ErrDuplicate, name)
		}
	}
	return nil
}

func (r *Registry) add(name, description string) Permission {
	i := uint32(len(r.defs))
	r.defs = append(r.defs, definition{name, description})
	r.index[name] = i
	return Permission{reg: r, index: i}
}

// Lookup returns the permission of that full name. Patterns are not names: Lookup of "area:*"
// finds nothing.
func (r *Registry) Lookup(name string) (Permission, bool) {
	if !r.closed.Load() {
		r.mu.RLock()
		defer r.mu.RUnlock()
	}
	i, ok := r.index[name]
	if !ok {
		return Permission{}, false
	}
	return Permission{reg: r, index: i}, true
}

// All yields the permissions in the order of their definition.
func (r *Registry) All() iter.Seq[Permission] {
	return func(yield func(Permission) bool) {
		for i := range r.Len() {
			if !yield(Permission{reg: r, index: uint32(i)}) {
				return
			}
		}
	}
}

// Len returns the number of permissions.
func (r *Registry) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.defs)
}

// close ends the definitions and returns them. From then on they can be read without lock.
func (r *Registry) close() ([]definition, []pair) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed.Store(true)
	return slices.Clip(r.defs), slices.Clip(r.pairs)
}

// Name returns the full name, such as "area:update:own", or "" for the zero Permission.
func (p Permission) Name() string { return p.definition().name }

// Description returns what the permission was defined with.
func (p Permission) Description() string { return p.definition().description }

// String is Name.
func (p Permission) String() string { return p.Name() }

// IsZero reports whether p is the zero Permission.
func (p Permission) IsZero() bool { return p.reg == nil }

func (p Permission) definition() definition {
	if p.reg == nil {
		return definition{}
	}
	if !p.reg.closed.Load() {
		p.reg.mu.RLock()
		defer p.reg.mu.RUnlock()
	}
	return p.reg.defs[p.index]
}
