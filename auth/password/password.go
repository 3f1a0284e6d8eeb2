package password

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// MaxBytes is the longest password that is hashed or compared.
const MaxBytes = 1024

const (
	saltBytes = 16
	keyBytes  = 32
)

// Params are the costs of argon2id. OWASP's ASVS 5.0 (appendix C) lists 19 MiB, 2, 1 and 46 MiB,
// 1, 1 and 12 MiB, 3, 1 as minimum.
type Params struct {
	Memory  uint32 // KiB, 8 times Threads to 262,144 (256 MiB)
	Time    uint32 // passes, 1 to 16
	Threads uint8  // lanes, 1 to 16
}

// DefaultParams returns 19 MiB, 2 passes, 1 lane.
func DefaultParams() Params { return Params{Memory: 19 << 10, Time: 2, Threads: 1} }

// Pepper is a secret outside the database that goes into every hash: HMAC-SHA-256 of the password
// under Secret is what argon2id sees. It prints its ID only.
type Pepper struct {
	ID     string // 1 to 16 of A-Z a-z 0-9 _ -, stored with the hash
	Secret []byte // 32 random bytes or more
}

// String hides the secret.
func (p Pepper) String() string { return "password.Pepper(" + p.ID + ")" }

// GoString hides the secret.
func (p Pepper) GoString() string { return p.String() }

// LogValue implements [slog.LogValuer] without the secret.
func (p Pepper) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Config configures a [Hasher].
type Config struct {
	// Params of new hashes. Default DefaultParams.
	Params Params
	// Peppers, when set, are the secrets known to this server: the first goes into new hashes,
	// the others only verify. Without any, hashes have no pepper.
	Peppers []Pepper
	// MaxMemory bounds the bytes that all hashes under way take together. Default: one hash of
	// Params for each CPU that Go uses. A stored hash that needs more than all of it runs alone.
	MaxMemory int64
	// MaxWaiting bounds the callers in the queue. Default 128; negative means that nobody waits.
	MaxWaiting int
}

// Hasher makes and checks password hashes. Safe for concurrent use. The zero Hasher is invalid.
type Hasher struct {
	params  Params
	peppers []Pepper
	queue   *queue
	dummy   string
	hashes  atomic.Uint64
}

// New checks the configuration and returns a Hasher. Errors are *ConfigError, joined.
func New(cfg Config) (*Hasher, error) {
	h := &Hasher{params: cfg.Params}
	if h.params == (Params{}) {
		h.params = DefaultParams()
	}
	var errs []error
	if reason := h.params.fault(); reason != "" {
		errs = append(errs, &ConfigError{Field: "Params", Value: h.params, Reason: reason})
	}
	seen := map[string]bool{}
	for i, p := range cfg.Peppers {
		field := fmt.Sprintf("Peppers[%d]", i)
		if !pepperID(p.ID) || seen[p.ID] {
			errs = append(errs, &ConfigError{Field: field + ".ID", Value: p.ID, Reason: "is not 1 to 16 of A-Z a-z 0-9 _ -, or repeated"})
		}
		if len(p.Secret) < keyBytes {
			errs = append(errs, &ConfigError{Field: field + ".Secret", Reason: "needs 32 random bytes or more"})
		}
		seen[p.ID] = true
		h.peppers = append(h.peppers, Pepper{ID: p.ID, Secret: append([]byte(nil), p.Secret...)})
	}
	budget := cmp.Or(cfg.MaxMemory, int64(runtime.GOMAXPROCS(0))*h.params.bytes())
	if budget < h.params.bytes() {
		errs = append(errs, &ConfigError{Field: "MaxMemory", Value: cfg.MaxMemory, Reason: "does not fit one hash of Params"})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	h.queue = newQueue(budget, max(cmp.Or(cfg.MaxWaiting, 128), 0))
	// A well-formed hash that no password has, for accounts that do not exist.
	d := phc{params: h.params, salt: make([]byte, saltBytes), key: make([]byte, keyBytes)}
	if len(h.peppers) > 0 {
		d.pepper = h.peppers[0].ID
	}
	rand.Read(d.salt) // never fails: the runtime ends the program instead
	rand.Read(d.key)
	h.dummy = d.String()
	return h, nil
}

func (p Params) fault() string {
	switch {
	case p.Threads < 1 || p.Threads > 16:
		return "needs 1 to 16 threads"
	case p.Time < 1 || p.Time > 16:
		return "needs 1 to 16 passes"
	case p.Memory < 8*uint32(p.Threads) || p.Memory > 256<<10:
		return "needs memory of 8 KiB a thread to 256 MiB"
	}
	return ""
}

func (p Params) bytes() int64 { return int64(p.Memory) << 10 }

func pepperID(id string) bool {
	return id != "" && len(id) <= 16 &&
		strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

// Hash returns the PHC text of a new password. It applies no policy except the length: more than
// MaxBytes is ErrTooLong. It waits for its turn and returns ErrBusy or the context's error when it
// gets none.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > MaxBytes {
		return "", ErrTooLong
	}
	out := phc{params: h.params, salt: make([]byte, saltBytes)}
	input := []byte(password)
	if len(h.peppers) > 0 {
		out.pepper = h.peppers[0].ID
		input = h.peppers[0].apply(password)
	}
	rand.Read(out.salt)
	var err error
	out.key, err = h.derive(ctx, input, out.salt, out.params, keyBytes)
	if err != nil {
		return "", err
	}
	return out.String(), nil
}

// Verify compares a password with a stored hash: argon2id in PHC form, or bcrypt ($2a$, $2b$, $2y$).
// Rehash asks the caller to store a new Hash of the password, because the stored one is bcrypt,
// cheaper than Params, or made with another pepper than the first. A wrong password is ErrMismatch,
// a hash that cannot be used ErrHash; waiting fails as in Hash.
//
// bcrypt looks at the first 72 bytes only, as the old system did; the rehash covers them all.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (rehash bool, err error) {
	if len(password) > MaxBytes {
		return false, ErrMismatch
	}
	if strings.HasPrefix(hash, "$2") {
		return true, h.verifyBcrypt(ctx, hash, password)
	}
	stored, err := parsePHC(hash)
	if err != nil {
		return false, err
	}
	input := []byte(password)
	if stored.pepper != "" {
		pepper, ok := h.pepper(stored.pepper)
		if !ok {
			return false, fmt.Errorf("%w: unknown pepper", ErrHash)
		}
		input = pepper.apply(password)
	}
	key, err := h.derive(ctx, input, stored.salt, stored.params, len(stored.key))
	if err != nil {
		return false, err
	}
	if subtle.ConstantTimeCompare(key, stored.key) != 1 {
		return false, ErrMismatch
	}
	current := ""
	if len(h.peppers) > 0 {
		current = h.peppers[0].ID
	}
	return stored.params.Memory < h.params.Memory || stored.params.Time < h.params.Time ||
		len(stored.salt) < saltBytes || len(stored.key) < keyBytes || stored.pepper != current, nil
}

// maxBcryptCost bounds the time of one bcrypt comparison to some seconds.
const maxBcryptCost = 16

func (h *Hasher) verifyBcrypt(ctx context.Context, hash, password string) error {
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil || len(hash) != 60 || cost > maxBcryptCost || !strings.Contains("aby", hash[2:3]) {
		return fmt.Errorf("%w: not bcrypt 2a, 2b or 2y up to cost %d", ErrHash, maxBcryptCost)
	}
	release, err := h.queue.enter(ctx, h.params.bytes())
	if err != nil {
		return err
	}
	defer release()
	h.hashes.Add(1)
	input := []byte(password)
	err = bcrypt.CompareHashAndPassword([]byte(hash), input[:min(len(input), 72)])
	switch {
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		return ErrMismatch
	case err != nil:
		return fmt.Errorf("%w: %w", ErrHash, err)
	}
	return nil
}

func (h *Hasher) derive(ctx context.Context, input, salt []byte, p Params, length int) ([]byte, error) {
	release, err := h.queue.enter(ctx, p.bytes())
	if err != nil {
		return nil, err
	}
	defer release()
	h.hashes.Add(1)
	return argon2.IDKey(input, salt, p.Time, p.Memory, p.Threads, uint32(length)), nil
}

func (h *Hasher) pepper(id string) (Pepper, bool) {
	for _, p := range h.peppers {
		if p.ID == id {
			return p, true
		}
	}
	return Pepper{}, false
}

func (p Pepper) apply(password string) []byte {
	mac := hmac.New(sha256.New, p.Secret)
	mac.Write([]byte(password))
	return mac.Sum(nil)
}

// Stats are counts for metrics.
type Stats struct {
	Hashes     uint64 // computed since the start
	Waiting    int    // callers in the queue now
	Memory     int64  // bytes that the hashes under way take now
	PeakMemory int64  // the most that Memory has been
}

// Stats returns the present counts.
func (h *Hasher) Stats() Stats {
	s := h.queue.stats()
	s.Hashes = h.hashes.Load()
	return s
}
