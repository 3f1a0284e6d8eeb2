package sqlaudit_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSealAndVerify(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, o *opened) {
		require.Nil(t, o.verify(t).Fault, "an empty trail has no fault")
		o.log(t, 23)
		report := o.verify(t)
		require.Nil(t, report.Fault)
		require.Equal(t, int64(23), report.Unsealed)
		require.Equal(t, epoch.Add(1e9), report.Oldest)
		require.Equal(t, int64(23), o.seal(t).Sealed)
		require.Zero(t, o.seal(t).Sealed)
		o.log(t, 3)
		require.Equal(t, int64(3), o.seal(t).Sealed)
		report = o.verify(t)
		require.Nil(t, report.Fault)
		require.Equal(t, int64(26), report.Events)
		require.Equal(t, int64(26), report.To)
		require.Zero(t, report.Unsealed)
	})
}
