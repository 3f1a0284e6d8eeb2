package roles_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

type body = map[string]any

type role struct {
	Name        string
	Scope       string
	Description string
	Permissions []string
	BuiltIn     bool `json:"built_in"`
	Users       int
}

type rolePage struct {
	Items []role
	Total int
	Size  int
}

const path = "/v1/admin/roles"

func etagOf(t *testing.T, s *servertest.Server, by servertest.Account) string {
	t.Helper()
	r := s.Call(t, "GET", path, by.Token, nil)
	require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
	require.Regexp(t, `^"p[0-9]+"$`, r.Header.Get("ETag"))
	return r.Header.Get("ETag")
}

// create defines a role and returns it with the tag of the roles.
func create(t *testing.T, s *servertest.Server, by servertest.Account, name string, permissions ...string) (role, string) {
	t.Helper()
	r := s.Call(t, "POST", path, by.Token, body{
		"name": name, "description": "Of a test.", "permissions": append([]string{}, permissions...),
	})
	require.Equal(t, http.StatusCreated, r.Status, "%s", r.Body)
	require.Equal(t, path+"/"+name, r.Header.Get("Location"))
	var made role
	r.JSON(t, &made)
	return made, r.Header.Get("ETag")
}

func refused(t *testing.T, r servertest.Response, status int, code string) {
	t.Helper()
	require.Equal(t, status, r.Status, "%s", r.Body)
	require.Equal(t, code, r.Code())
}

// fields returns "pointer code" of every fault.
func fields(t *testing.T, r servertest.Response) (list []string) {
	t.Helper()
	require.Equal(t, http.StatusUnprocessableEntity, r.Status, "%s", r.Body)
	var p struct {
		Errors []struct{ Pointer, Parameter, Code string }
	}
	r.JSON(t, &p)
	for _, e := range p.Errors {
		list = append(list, e.Pointer+e.Parameter+" "+e.Code)
	}
	return list
}

func TestLists(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", "admin")
		s.SignUp(t, "crew")

		var permissions struct {
			Items []struct{ Name, Scope, Description string }
			Total int
		}
		r := s.Call(t, "GET", "/v1/admin/permissions?size=100", admin.Token, nil)
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		r.JSON(t, &permissions)
		require.Len(t, permissions.Items, 64)
		require.Equal(t, 64, permissions.Total)
		require.Equal(t, "global", permissions.Items[0].Scope)
		require.Equal(t, "company", permissions.Items[43].Scope)
		require.NotEmpty(t, permissions.Items[63].Description)
		r = s.Call(t, "GET", "/v1/admin/permissions?page=4", admin.Token, nil)
		r.JSON(t, &permissions)
		require.Len(t, permissions.Items, 4, "20 a page")
		require.Contains(t, r.Header.Get("Link"), `rel="prev"`)
		require.Equal(t, []string{"q unknown_parameter"}, fields(t, s.Call(t, "GET", "/v1/admin/permissions?q=area", admin.Token, nil)))

		var list rolePage
		s.Call(t, "GET", path, admin.Token, nil).JSON(t, &list)
		var names []string
		byName := map[string]role{}
		for _, r := range list.Items {
			names = append(names, r.Name)
			byName[r.Name] = r
			require.True(t, r.BuiltIn)
		}
		require.Equal(t, []string{"admin", "moderator", "user", "company_admin", "company_member", "company_owner"}, names)
		require.Equal(t, "company", byName["company_owner"].Scope)
		require.Equal(t, 1, byName["company_owner"].Users)
		require.Equal(t, 1, byName["admin"].Users)
		require.Len(t, byName["admin"].Permissions, 43)
		require.Len(t, byName["moderator"].Permissions, 22)
		require.IsIncreasing(t, byName["moderator"].Permissions)
	})
}

func TestCreate(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", "admin")
		before := etagOf(t, s, admin)
		made, etag := create(t, s, admin, "curator", "area:update:any", "area:read", "area:read")
		require.Equal(t, role{
			Name: "curator", Scope: "global", Description: "Of a test.",
			Permissions: []string{"area:read", "area:update:any", "area:update:own"},
		}, made)
		require.NotEqual(t, before, etag)
		require.Equal(t, etag, etagOf(t, s, admin))

		helper := s.SignIn(t, "helper", "curator")
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/auth/me", helper.Token, nil).Status)
		refused(t, s.Call(t, "GET", path, helper.Token, nil), http.StatusForbidden, "forbidden")

		in := func(change body) body {
			b := body{"name": "other", "description": "", "permissions": []string{}}
			for k, v := range change {
				b[k] = v
			}
			return b
		}
		refused(t, s.Call(t, "POST", path, admin.Token, in(body{"name": "curator"})), http.StatusConflict, "name_taken")
		refused(t, s.Call(t, "POST", path, admin.Token, in(body{"name": "user"})), http.StatusConflict, "name_taken")
		for name, test := range map[string]struct {
			change body
			want   []string
		}{
			"short":          {body{"name": "ab"}, []string{"#/name bad_format"}},
			"long":           {body{"name": strings.Repeat("a", 33)}, []string{"#/name bad_format"}},
			"upper case":     {body{"name": "Curator"}, []string{"#/name bad_format"}},
			"no text":        {body{"description": strings.Repeat("x", 256)}, []string{"#/description too_long"}},
			"unknown":        {body{"permissions": []string{"area:read", "area:rule", "area:*", "*"}}, []string{"#/permissions/1 unknown_reference", "#/permissions/2 unknown_reference", "#/permissions/3 unknown_reference"}},
			"of a company":   {body{"permissions": []string{"job:read"}}, []string{"#/permissions/0 wrong_scope"}},
			"no list":        {body{"permissions": nil}, []string{"#/permissions not_nullable"}},
			"unknown member": {body{"built_in": true}, []string{"#/built_in unknown_field"}},
		} {
			require.Equal(t, test.want, fields(t, s.Call(t, "POST", path, admin.Token, in(test.change))), name)
		}

		// Whoever may define roles defines none that can more than he can.
		create(t, s, admin, "definer", "role:manage", "area:read", "user:assign_role")
		definer := s.SignIn(t, "definer", "definer")
		create(t, s, definer, "reader", "area:read")
		refused(t, s.Call(t, "POST", path, definer.Token, in(body{"permissions": []string{"area:read", "audit:read"}})),
			http.StatusForbidden, "escalation")
	})
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", "admin")
		_, etag := create(t, s, admin, "curator", "area:read", "role:manage")
		curator := s.SignIn(t, "helper", "curator")
		patch := func(by servertest.Account, name, etag string, in any) servertest.Response {
			t.Helper()
			var headers []string
			if etag != "" {
				headers = []string{"If-Match", etag}
			}
			return s.Call(t, "PATCH", path+"/"+name, by.Token, in, headers...)
		}

		// Nothing changes: nothing is written.
		r := patch(admin, "curator", etag, body{})
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		require.Equal(t, etag, r.Header.Get("ETag"))
		r = patch(admin, "curator", "*", body{"permissions": []string{"role:manage", "area:read"}})
		require.Equal(t, etag, r.Header.Get("ETag"))

		// A role that is taken away counts at once, for those who are signed in, too.
		require.Equal(t, http.StatusOK, s.Call(t, "GET", path, curator.Token, nil).Status)
		r = patch(admin, "curator", etag, body{"description": "Reads.", "permissions": []string{"area:read"}})
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		var changed role
		r.JSON(t, &changed)
		require.Equal(t, role{Name: "curator", Scope: "global", Description: "Reads.", Permissions: []string{"area:read"}, Users: 1}, changed)
		refused(t, s.Call(t, "GET", path, curator.Token, nil), http.StatusForbidden, "forbidden")
		require.NotEqual(t, etag, r.Header.Get("ETag"))

		refused(t, patch(admin, "curator", etag, body{}), http.StatusPreconditionFailed, "stale_version")
		refused(t, patch(admin, "curator", `W/`+etagOf(t, s, admin), body{}), http.StatusPreconditionFailed, "stale_version")
		refused(t, patch(admin, "curator", "", body{}), http.StatusPreconditionRequired, "if_match_required")
		refused(t, patch(admin, "curator", "p3", body{}), http.StatusBadRequest, "malformed")
		refused(t, patch(admin, "nobody", "*", body{}), http.StatusNotFound, "not_found")
		for name := range map[string]bool{"admin": true, "company_owner": true, "company_admin": true, "company_member": true} {
			refused(t, patch(admin, name, "*", body{"description": "x"}), http.StatusConflict, "built_in")
		}
		require.Equal(t, []string{"#/permissions/0 wrong_scope"}, fields(t, patch(admin, "curator", "*", body{"permissions": []string{"job:read"}})))
		require.Equal(t, []string{"#/permissions/0 wrong_scope"}, fields(t, patch(admin, "company_owner", "*", body{"permissions": []string{"area:read"}})))
		require.Equal(t, []string{"#/description not_nullable", "#/permissions not_nullable"},
			fields(t, patch(admin, "curator", "*", body{"description": nil, "permissions": nil})))
		require.Equal(t, []string{"#/name unknown_field"}, fields(t, patch(admin, "curator", "*", body{"name": "other"})))

		// Built-in ones that are not fixed can be changed. What moderator has from user stays in it.
		var moderator, user role
		r = patch(admin, "moderator", "*", body{})
		r.JSON(t, &moderator)
		without := append([]string{"area:delete:any"}, moderator.Permissions...)
		r = patch(admin, "moderator", r.Header.Get("ETag"), body{"permissions": without})
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		r.JSON(t, &moderator)
		require.Contains(t, moderator.Permissions, "area:delete:any")
		require.Equal(t, []string{"#/permissions not_allowed"}, fields(t, patch(admin, "moderator", "*", body{"permissions": []string{"attempt:review"}})))
		r = patch(admin, "user", "*", body{})
		r.JSON(t, &user)
		r = patch(admin, "user", "*", body{"permissions": user.Permissions[1:]})
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		r = patch(admin, "moderator", "*", body{})
		r.JSON(t, &moderator)
		require.NotContains(t, moderator.Permissions, user.Permissions[0], "user includes it no longer")

		// Nobody gives what he has not, and nobody touches what is stronger.
		create(t, s, admin, "definer", "role:manage", "area:read")
		create(t, s, admin, "strong", "audit:read")
		definer := s.SignIn(t, "definer", "definer")
		refused(t, patch(definer, "curator", "*", body{"permissions": []string{"audit:read"}}), http.StatusForbidden, "escalation")
		refused(t, patch(definer, "strong", "*", body{"permissions": []string{}}), http.StatusForbidden, "escalation")
		refused(t, patch(definer, "user", "*", body{"permissions": []string{}}), http.StatusForbidden, "escalation")
		require.Equal(t, http.StatusOK, patch(definer, "curator", "*", body{"permissions": []string{"role:manage"}}).Status)
	})
}

func TestDelete(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", "admin")
		remove := func(name string, headers ...string) servertest.Response {
			t.Helper()
			return s.Call(t, "DELETE", path+"/"+name, admin.Token, nil, headers...)
		}
		_, old := create(t, s, admin, "curator", "area:read")
		_, etag := create(t, s, admin, "second")
		refused(t, remove("curator"), http.StatusPreconditionRequired, "if_match_required")
		refused(t, remove("curator", "If-Match", old), http.StatusPreconditionFailed, "stale_version")
		refused(t, remove("nobody", "If-Match", "*"), http.StatusNotFound, "not_found")
		for _, name := range []string{"user", "moderator", "admin", "company_owner", "company_admin", "company_member"} {
			refused(t, remove(name, "If-Match", "*"), http.StatusConflict, "built_in")
		}
		s.SignIn(t, "helper", "curator")
		refused(t, remove("curator", "If-Match", etag), http.StatusConflict, "in_use")
		require.Equal(t, http.StatusNoContent, remove("second", "If-Match", etag).Status)
		refused(t, remove("second", "If-Match", "*"), http.StatusNotFound, "not_found")

		create(t, s, admin, "strong", "audit:read")
		create(t, s, admin, "definer", "role:manage")
		definer := s.SignIn(t, "definer", "definer")
		refused(t, s.Call(t, "DELETE", path+"/strong", definer.Token, nil, "If-Match", "*"), http.StatusForbidden, "escalation")
	})
}

// Of many who change what they have seen at one version, one succeeds.
func TestRace(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", "admin")
		_, etag := create(t, s, admin, "curator")
		const writers = 8
		statuses := make([]int, writers)
		var group sync.WaitGroup
		for i := range writers {
			group.Go(func() {
				in := body{"description": fmt.Sprintf("Version %d.", i)}
				statuses[i] = s.Call(t, "PATCH", path+"/curator", admin.Token, in, "If-Match", etag).Status
			})
		}
		group.Wait()
		count := map[int]int{}
		for _, status := range statuses {
			count[status]++
		}
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusPreconditionFailed: writers - 1}, count)

		clear(statuses)
		for i := range writers {
			group.Go(func() {
				in := body{"name": "same", "description": "", "permissions": []string{}}
				statuses[i] = s.Call(t, "POST", path, admin.Token, in).Status
			})
		}
		group.Wait()
		clear(count)
		for _, status := range statuses {
			count[status]++
		}
		require.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusConflict: writers - 1}, count)
	})
}

// Changes of roles leave entries with what they changed.
func TestTrail(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		admin := s.SignIn(t, "boss", "admin")
		create(t, s, admin, "curator", "area:read")
		s.Call(t, "PATCH", path+"/curator", admin.Token, body{}, "If-Match", "*")
		s.Call(t, "PATCH", path+"/curator", admin.Token, body{"permissions": []string{"area:read", "feed:read"}}, "If-Match", "*")
		s.Call(t, "DELETE", path+"/curator", admin.Token, nil, "If-Match", "*")
		s.Call(t, "DELETE", path+"/admin", admin.Token, nil, "If-Match", "*")
		rows, err := s.Database(t).QueryContext(t.Context(),
			`SELECT action, actor_id, CAST(changes AS TEXT) FROM audit_events WHERE entity_type = 'role' AND entity_id = 'curator' ORDER BY pos`)
		require.NoError(t, err)
		defer func() { require.NoError(t, rows.Close()) }()
		var actions []string
		for rows.Next() {
			var action, actor, changes string
			require.NoError(t, rows.Scan(&action, &actor, &changes))
			require.Equal(t, admin.ID, actor)
			actions = append(actions, action)
			if action == "update" {
				require.Contains(t, changes, "feed:read")
			}
		}
		require.NoError(t, rows.Err())
		require.Equal(t, []string{"create", "update", "delete"}, actions)
	})
}
