package auth_test

import (
	"testing"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/auth/authtest"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	authtest.TestStore(t, func(*testing.T) auth.Store { return auth.NewMemoryStore() })
}
