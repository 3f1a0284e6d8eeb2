package password_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/groundwork-go/groundwork/auth/password"
)

// cheap are parameters that cost next to nothing.
func cheap() password.Params { return password.Params{Memory: 64, Time: 1, Threads: 1} }

func newHasher(t testing.TB, cfg password.Config) *password.Hasher {
	t.Helper()
	if cfg.Params == (password.Params{}) {
		cfg.Params = cheap()
	}
	h, err := password.New(cfg)
	require.NoError(t, err)
	return h
}

func mustHash(t testing.TB, h *password.Hasher, pw string) string {
	t.Helper()
	hash, err := h.Hash(t.Context(), pw)
	require.NoError(t, err)
	return hash
}

func TestDefaultParametersAreInTheHash(t *testing.T) {
	t.Parallel()
	h, err := password.New(password.Config{})
	require.NoError(t, err)
	hash := mustHash(t, h, "secret")
	require.True(t, strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), hash)
	rehash, err := h.Verify(t.Context(), hash, "secret")
	require.NoError(t, err)
	require.False(t, rehash)
	require.NotEqual(t, hash, mustHash(t, h, "secret"), "each hash has a salt of its own")
}

func TestKnownHash(t *testing.T) {
	t.Parallel()
	// From src/test.c of the reference implementation, version 20190702.
	const hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := newHasher(t, password.Config{MaxMemory: 64 << 20})
	_, err := h.Verify(t.Context(), hash, "password")
	require.NoError(t, err)
	_, err = h.Verify(t.Context(), hash, "Password")
	require.ErrorIs(t, err, password.ErrMismatch)
}

func TestBcryptIsAcceptedAndFlagged(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{})
	made, err := bcrypt.GenerateFromPassword([]byte("Passw0rd"), bcrypt.MinCost)
	require.NoError(t, err)
	for _, version := range []string{"$2a$", "$2b$", "$2y$"} {
		hash := version + string(made[4:])
		rehash, err := h.Verify(t.Context(), hash, "Passw0rd")
		require.NoError(t, err, version)
		require.True(t, rehash, version)
		_, err = h.Verify(t.Context(), hash, "passw0rd")
		require.ErrorIs(t, err, password.ErrMismatch, version)
	}
	for name, hash := range map[string]string{
		"version x":   "$2x$" + string(made[4:]),
		"no version":  "$2$" + string(made[4:]),
		"cost 31":     "$2a$31" + string(made[6:]),
		"truncated":   string(made[:59]),
		"longer":      string(made) + "x",
		"prefix only": "$2a$",
	} {
		_, err := h.Verify(t.Context(), hash, "Passw0rd")
		require.ErrorIs(t, err, password.ErrHash, name)
	}
}

func TestBcryptReads72BytesAsTheOldSystemDid(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{})
	long := strings.Repeat("a", 72)
	hash, err := bcrypt.GenerateFromPassword([]byte(long), bcrypt.MinCost)
	require.NoError(t, err)
	rehash, err := h.Verify(t.Context(), string(hash), long+"and more")
	require.NoError(t, err)
	require.True(t, rehash)
}

func TestWeakerHashesAreFlagged(t *testing.T) {
	t.Parallel()
	now := password.Params{Memory: 128, Time: 2, Threads: 1}
	h := newHasher(t, password.Config{Params: now})
	for _, c := range []struct {
		name   string
		params password.Params
		want   bool
	}{
		{"same", now, false},
		{"stronger", password.Params{Memory: 256, Time: 3, Threads: 1}, false},
		{"less memory", password.Params{Memory: 64, Time: 2, Threads: 1}, true},
		{"fewer passes", password.Params{Memory: 128, Time: 1, Threads: 1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			hash := mustHash(t, newHasher(t, password.Config{Params: c.params}), "secret")
			rehash, err := h.Verify(t.Context(), hash, "secret")
			require.NoError(t, err)
			require.Equal(t, c.want, rehash)
		})
	}
}

func TestHostileHashIsRefusedBeforeComputing(t *testing.T) {
	// Not parallel: AllocsPerRun counts the allocations of the whole process.
	h := newHasher(t, password.Config{})
	good := mustHash(t, h, "secret")
	parts := strings.Split(good, "$")
	with := func(i int, text string) string {
		p := append([]string(nil), parts...)
		p[i] = text
		return strings.Join(p, "$")
	}
	before := h.Stats().Hashes
	for name, hash := range map[string]string{
		"empty":            "",
		"plain text":       "secret",
		"4 GiB":            with(3, "m=4194304,t=1,p=1"),
		"m overflows":      with(3, "m=4294967296,t=1,p=1"),
		"t 2^31":           with(3, "m=64,t=2147483648,p=1"),
		"t 17":             with(3, "m=64,t=17,p=1"),
		"p 0":              with(3, "m=64,t=1,p=0"),
		"p 255":            with(3, "m=65536,t=1,p=255"),
		"m below 8p":       with(3, "m=64,t=1,p=9"),
		"negative":         with(3, "m=-64,t=1,p=1"),
		"leading zero":     with(3, "m=064,t=1,p=1"),
		"other order":      with(3, "t=1,m=64,p=1"),
		"extra parameter":  with(3, "m=64,t=1,p=1,x=1"),
		"bad keyid":        with(3, "m=64,t=1,p=1,keyid="),
		"argon2i":          with(1, "argon2i"),
		"version 16":       with(2, "v=16"),
		"bad base64":       with(5, "!!!!"),
		"padding":          with(5, parts[5]+"="),
		"line break":       with(5, parts[5][:4]+"\n"+parts[5][4:]),
		"loose bits":       with(4, "AAAAAAAAAAAAAAAAAAAAAB"),
		"short salt":       with(4, "AAAA"),
		"short key":        with(5, "AAAA"),
		"truncated":        good[:len(good)-44],
		"too many parts":   good + "$",
		"longer than 512":  good + strings.Repeat("A", 512),
		"unknown pepper":   with(3, "m=64,t=1,p=1,keyid=nobody"),
		"scrypt":           "$scrypt$ln=16,r=8,p=1$AAAA$AAAA",
		"crypt":            "$6$rounds=5000$salt$hash",
		"NUL":              "$argon2id$\x00",
		"only separators ": "$$$$$",
	} {
		allocated := testing.AllocsPerRun(1, func() {
			_, err := h.Verify(context.Background(), hash, "secret")
			require.ErrorIs(t, err, password.ErrHash, name)
		})
		require.Less(t, allocated, 60.0, name)
	}
	require.Equal(t, before, h.Stats().Hashes, "nothing may be computed")
}

func TestPasswordsAreTakenAsGiven(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{})
	base := strings.Repeat("a", 72)
	for _, pw := range []string{
		"", " ", "a", "a ", " a", "\x00", "a\x00b", "a\x00", "é", "e\u0301", "日本語", "\xff\xfe", "\r\n",
		base, base + "b", base + "c", strings.Repeat("x", 1023), strings.Repeat("x", 1024),
	} {
		hash := mustHash(t, h, pw)
		for _, other := range []string{pw, pw + " ", pw + "\x00", "x" + pw, strings.TrimRight(pw, "b") + "d"} {
			_, err := h.Verify(t.Context(), hash, other)
			if other == pw {
				require.NoError(t, err, "%q", pw)
			} else {
				require.ErrorIs(t, err, password.ErrMismatch, "%q for %q", other, pw)
			}
		}
	}
	_, err := h.Hash(t.Context(), strings.Repeat("x", 1025))
	require.ErrorIs(t, err, password.ErrTooLong)
}

func TestPepper(t *testing.T) {
	t.Parallel()
	one := password.Pepper{ID: "one", Secret: []byte(strings.Repeat("1", 32))}
	two := password.Pepper{ID: "two", Secret: []byte(strings.Repeat("2", 32))}
	old := newHasher(t, password.Config{Peppers: []password.Pepper{one}})
	both := newHasher(t, password.Config{Peppers: []password.Pepper{two, one}})
	none := newHasher(t, password.Config{})

	hash := mustHash(t, old, "secret")
	require.Contains(t, hash, ",keyid=one$")
	rehash, err := both.Verify(t.Context(), hash, "secret")
	require.NoError(t, err)
	require.True(t, rehash, "made with an old pepper")
	_, err = none.Verify(t.Context(), hash, "secret")
	require.ErrorIs(t, err, password.ErrHash)

	rehash, err = both.Verify(t.Context(), mustHash(t, none, "secret"), "secret")
	require.NoError(t, err)
	require.True(t, rehash, "made without pepper")
	rehash, err = both.Verify(t.Context(), mustHash(t, both, "secret"), "secret")
	require.NoError(t, err)
	require.False(t, rehash)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", one, one, one, one), "111")
}

func TestManyHashesStayWithinTheBudget(t *testing.T) {
	t.Parallel()
	params := password.Params{Memory: 1 << 10, Time: 1, Threads: 1}
	const slots, callers = 3, 1000
	h := newHasher(t, password.Config{Params: params, MaxMemory: slots << 20, MaxWaiting: callers})
	hash := mustHash(t, h, "secret")
	before := h.Stats().Hashes

	done, cancel := context.WithCancel(t.Context())
	cancel()
	var mu sync.Mutex
	var hashed, gaveUp int
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			ctx := t.Context()
			if i%10 == 0 {
				ctx = done
			}
			_, err := h.Verify(ctx, hash, "secret")
			mu.Lock()
			defer mu.Unlock()
			if i%10 == 0 {
				gaveUp++
				if err == nil {
					t.Error("a cancelled caller got a hash")
				}
				return
			}
			hashed++
			if err != nil {
				t.Errorf("Verify: %v", err)
			}
		})
	}
	wg.Wait()
	s := h.Stats()
	require.Equal(t, callers/10, gaveUp)
	require.Equal(t, uint64(hashed), s.Hashes-before, "cancelled callers must not hash")
	require.LessOrEqual(t, s.PeakMemory, int64(slots<<20))
	require.Zero(t, s.Memory)
	require.Zero(t, s.Waiting)
	runtime.KeepAlive(h)
}

func TestCallerWhoLeavesTheQueueNeverHashes(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{
		Params: password.Params{Memory: 1 << 10, Time: 16, Threads: 1}, MaxMemory: 1 << 20, MaxWaiting: 100,
	})
	patient, impatient := t.Context(), t.Context()
	impatient, leave := context.WithCancel(impatient)
	defer leave()
	var wg sync.WaitGroup
	var hashed, left atomic.Int64
	for i := range 100 {
		ctx := patient
		if i >= 50 {
			ctx = impatient
		}
		wg.Go(func() {
			switch _, err := h.Hash(ctx, "secret"); {
			case err == nil:
				hashed.Add(1)
			case errors.Is(err, context.Canceled):
				left.Add(1)
			default:
				t.Errorf("Hash: %v", err)
			}
		})
	}
	for h.Stats().Waiting < 60 && hashed.Load() < 40 { // until somebody impatient is in the queue
		runtime.Gosched()
	}
	leave()
	wg.Wait()
	require.Positive(t, left.Load())
	require.Equal(t, uint64(hashed.Load()), h.Stats().Hashes, "who left computed nothing")
	require.Zero(t, h.Stats().Waiting)
	require.Zero(t, h.Stats().Memory, "who left keeps no place")
}

func TestFullQueueIsBusy(t *testing.T) {
	t.Parallel()
	h := newHasher(t, password.Config{Params: password.Params{Memory: 4 << 10, Time: 16, Threads: 1}, MaxMemory: 4 << 20, MaxWaiting: -1})
	var wg sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[string]int{}
	for range 20 {
		wg.Go(func() {
			_, err := h.Hash(t.Context(), "secret")
			mu.Lock()
			defer mu.Unlock()
			outcomes[fmt.Sprint(err)]++
		})
	}
	wg.Wait()
	require.NotZero(t, outcomes["<nil>"])
	require.NotZero(t, outcomes[password.ErrBusy.Error()])
	require.Len(t, outcomes, 2)
}

func TestConfigFaultsComeTogether(t *testing.T) {
	t.Parallel()
	_, err := password.New(password.Config{
		Params:    password.Params{Memory: 1 << 30, Time: 1, Threads: 1},
		Peppers:   []password.Pepper{{ID: "not ok", Secret: []byte("short")}},
		MaxMemory: 1,
	})
	require.ErrorContains(t, err, "Params")
	require.ErrorContains(t, err, "Peppers[0].ID")
	require.ErrorContains(t, err, "Peppers[0].Secret")
	require.ErrorContains(t, err, "MaxMemory")
	require.NotContains(t, err.Error(), "short")
	var fault *password.ConfigError
	require.ErrorAs(t, err, &fault)
}

func FuzzVerifyHash(f *testing.F) {
	h := newHasher(f, password.Config{})
	hash, err := h.Hash(context.Background(), "secret")
	require.NoError(f, err)
	f.Add(hash)
	f.Add("$argon2id$v=19$m=64,t=1,p=1,keyid=x$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$2a$04$")
	f.Add("$argon2id$v=19$m=4294967295,t=16,p=16$$")
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	f.Fuzz(func(t *testing.T, text string) {
		// A caller who is gone computes nothing, so every text may be tried: it is refused or waits in vain.
		if _, err := h.Verify(gone, text, "other"); !errors.Is(err, password.ErrHash) && !errors.Is(err, context.Canceled) {
			t.Fatalf("%q: %v", text, err)
		}
		if strings.Contains(text, "m=") && !strings.Contains(text, "m=64,t=1,p=1") {
			return // valid but costly
		}
		if strings.HasPrefix(text, "$2") && len(text) == 60 {
			return
		}
		if _, err := h.Verify(context.Background(), text, "other"); err == nil {
			t.Fatalf("%q accepts a wrong password", text)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h, err := password.New(password.Config{})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = h.Hash(context.Background(), "correct horse battery staple")
	}
}
