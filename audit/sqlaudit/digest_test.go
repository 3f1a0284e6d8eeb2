package sqlaudit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
)

func digested(t testing.TB) func() string {
	return sqlaudit.Digest(keyring(t, "k1"), audit.Event{
		ID: "0195-1", At: epoch, Tenant: "t1", Action: "area.update", Actor: audit.Actor{Type: "user", ID: "u1"},
		Entity: audit.Entity{Type: "area", ID: "a1"}, Outcome: audit.Success, Class: audit.Normal,
		Request: audit.Request{ID: "r1", IP: "10.0.0.1", UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Method: "PATCH", Path: "/areas/1"},
		Changes: []audit.Change{{Path: "/name", Op: audit.OpReplace, Old: []byte(`"a"`), New: []byte(`"b"`)}},
	})
}

func TestDigestAllocations(t *testing.T) {
	digest := digested(t) // not parallel: AllocsPerRun counts the whole process
	require.Len(t, digest(), 43)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { digest() }), 4.0)
}

// The stored hash must never change for the same event, or old trails stop to verify.
func TestDigestIsStable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "gymCqXXKaeyWgukphI3Fxt7HEetRttXGmSxe-VBgE_M", digested(t)())
}

func BenchmarkDigest(b *testing.B) {
	digest := digested(b)
	b.ReportAllocs()
	for b.Loop() {
		digest()
	}
}
