package audit_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
)

// BenchmarkChange is the difference of two structs of twenty fields with two secrets, redacted.
func BenchmarkChange(b *testing.B) {
	type record struct {
		A, B, C, D, E, F, G, H, I    string
		J, K, L, M, N, O, P, Q, Size int
		Password                     string
		IBAN                         string `audit:"redact"`
	}
	trail, err := audit.New(audit.Config{Sink: audit.SinkFunc(func(context.Context, []audit.Event) error { return nil })})
	require.NoError(b, err)
	before := record{A: "a", B: "b", Password: "x", IBAN: "y", Size: 1}
	after := before
	after.A, after.Password, after.IBAN = "c", "z", "w"
	b.ReportAllocs()
	for b.Loop() {
		if err := trail.Change(context.Background(), audit.Event{Action: "x"}, before, after); err != nil {
			b.Fatal(err)
		}
	}
}
