package rbac_test

import (
	"testing"

	"github.com/groundwork-go/groundwork/rbac"
	"github.com/groundwork-go/groundwork/rbac/rbactest"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	rbactest.TestStore(t, func(*testing.T) rbac.Store { return rbac.NewMemoryStore() })
}
