package auth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/authtest"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	open := func(*testing.T) auth.Store { return auth.NewMemoryStore() }
	authtest.TestStore(t, open)
	authtest.TestService(t, open)
}

func TestMemoryDenylist(t *testing.T) {
	t.Parallel()
	authtest.TestDenylist(t, func(t *testing.T) auth.Denylist {
		d, err := auth.NewMemoryDenylist(auth.MemoryDenylistConfig{})
		require.NoError(t, err)
		return d
	})
}

func TestMemoryDenylistForgetsAtTheEndOnly(t *testing.T) {
	t.Parallel()
	c := newClock()
	d, err := auth.NewMemoryDenylist(auth.MemoryDenylistConfig{MaxEntries: 2, Now: c.Now})
	require.NoError(t, err)
	require.NoError(t, d.Deny(t.Context(), epoch.Add(time.Minute), "s:1", "s:2"))
	require.ErrorIs(t, d.Deny(t.Context(), epoch.Add(time.Minute), "s:3"), auth.ErrDenylistFull)
	require.NoError(t, d.Deny(t.Context(), epoch.Add(2*time.Minute), "s:2"), "a known id needs no room")
	c.Add(time.Minute - time.Nanosecond)
	denied, err := d.Denied(t.Context(), "s:1")
	require.NoError(t, err)
	require.True(t, denied)
	c.Add(time.Nanosecond)
	denied, err = d.Denied(t.Context(), "s:1")
	require.NoError(t, err)
	require.False(t, denied)
	require.NoError(t, d.Deny(t.Context(), epoch.Add(5*time.Minute), "s:3"), "the ended entry makes room")
	require.Equal(t, 2, d.Len())

	_, err = auth.NewMemoryDenylist(auth.MemoryDenylistConfig{MaxEntries: -1})
	require.ErrorContains(t, err, "MaxEntries")
}

func TestMemoryDenylistStaysBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	d, err := auth.NewMemoryDenylist(auth.MemoryDenylistConfig{Now: c.Now})
	require.NoError(t, err)
	for i := range 100_000 { // 100 revocations a second, each needed for ten seconds
		c.Add(10 * time.Millisecond)
		require.NoError(t, d.Deny(t.Context(), c.Now().Add(10*time.Second), fmt.Sprint("s:", i)))
		require.LessOrEqual(t, d.Len(), 4*1024)
	}
}
