package identity_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/servertest"
)

// owner founds a company whose owner has a confirmed address.
func owner(t *testing.T, s *servertest.Server, slug string) tokens {
	t.Helper()
	var session tokens
	post(t, s, "/v1/auth/signup", signUp(slug), http.StatusCreated, &session)
	verify(t, s, slug+"@example.com")
	return session
}

type invitation struct{ ID, Status, Email, Role string }

// invite invites an address and returns the token mailed to it.
func invite(t *testing.T, s *servertest.Server, by tokens, email, role string) (invitation, string) {
	t.Helper()
	var made invitation
	r := s.Call(t, "POST", "/v1/company/users", by.Access, body{"email": email, "full_name": "Alex Packer", "role": role})
	require.Equal(t, http.StatusCreated, r.Status, "%s", r.Body)
	r.JSON(t, &made)
	require.Equal(t, "/v1/company/invites/"+made.ID, r.Header.Get("Location"))
	return made, s.Mail.Token(t, email, "accept-invite")
}

// join invites a new person, who accepts.
func join(t *testing.T, s *servertest.Server, by tokens, email, role string) person {
	t.Helper()
	_, token := invite(t, s, by, email, role)
	var p person
	post(t, s, "/v1/auth/invite/accept", body{"token": token, "password": secret}, http.StatusOK, &p)
	return p
}

type person struct {
	tokens
	User struct {
		ID         string
		Username   string
		IsVerified bool `json:"is_verified"`
	}
	Company struct{ Slug, Role string }
}

func TestInviteSomebodyNew(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		boss := owner(t, s, "crew")
		made, token := invite(t, s, boss, "alex@example.com", "member")
		require.Equal(t, invitation{made.ID, "open", "alex@example.com", "member"}, made)
		again := body{"email": "ALEX@example.com", "full_name": "Alex", "role": "member"}
		require.Equal(t, "already_invited", s.Call(t, "POST", "/v1/company/users", boss.Access, again).Code())

		accept := body{"token": token, "password": "weak"}
		require.Equal(t, "validation_failed", post(t, s, "/v1/auth/invite/accept", accept, http.StatusUnprocessableEntity, nil).Code())
		accept["password"] = secret
		accept["username"] = "Alex"
		var alex person
		post(t, s, "/v1/auth/invite/accept", accept, http.StatusOK, &alex)
		require.True(t, alex.User.IsVerified)
		require.Equal(t, "Alex", alex.User.Username)
		require.Equal(t, "crew", alex.Company.Slug)
		require.Equal(t, "member", alex.Company.Role)
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/company", alex.Access, nil).Status)
		require.Equal(t, "gone", post(t, s, "/v1/auth/invite/accept", accept, http.StatusGone, nil).Code())
		accept["token"] = "ot_unknown"
		require.Equal(t, "invalid_token", post(t, s, "/v1/auth/invite/accept", accept, http.StatusBadRequest, nil).Code())
		require.Equal(t, "already_member", s.Call(t, "POST", "/v1/company/users", boss.Access, again).Code())

		// Members do not manage people.
		for _, call := range [][2]string{
			{"GET", "/v1/company/users"},
			{"GET", "/v1/company/invites"},
			{"DELETE", "/v1/company/users/" + alex.User.ID},
			{"DELETE", "/v1/company/invites/" + made.ID},
			{"POST", "/v1/company/invites/" + made.ID + "/resend"},
		} {
			require.Equal(t, "forbidden", s.Call(t, call[0], call[1], alex.Access, nil).Code(), "%v", call)
		}
		require.Equal(t, "forbidden", s.Call(t, "POST", "/v1/company/users", alex.Access, again).Code())
	})
}

func TestInviteKnownAddresses(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		boss := owner(t, s, "crew")
		// A confirmed account gives its own password; a wrong one leaves the invitation open.
		account(t, s, "robin")
		_, token := invite(t, s, boss, "robin@example.com", "admin")
		accept := body{"token": token, "password": "Wrong-fox-7"}
		require.Equal(t, "invalid_credentials", post(t, s, "/v1/auth/invite/accept", accept, http.StatusUnauthorized, nil).Code())
		accept["password"] = secret
		var robin person
		post(t, s, "/v1/auth/invite/accept", accept, http.StatusOK, &robin)
		require.Equal(t, "robin", robin.User.Username)
		require.Equal(t, "admin", robin.Company.Role)

		// An account nobody has confirmed is taken over: whoever made it is out.
		squat := registration("squatter")
		squat["email"] = "victim@example.com"
		post(t, s, "/v1/auth/register", squat, http.StatusCreated, nil)
		_, token = invite(t, s, boss, "victim@example.com", "member")
		var victim person
		post(t, s, "/v1/auth/invite/accept", body{"token": token, "password": "Brand-new-fox-9"}, http.StatusOK, &victim)
		require.True(t, victim.User.IsVerified)
		post(t, s, "/v1/auth/login", body{"login": "victim@example.com", "password": secret}, http.StatusUnauthorized, nil)

		// One membership per account.
		other := owner(t, s, "other")
		_, token = invite(t, s, other, "robin@example.com", "member")
		accept["token"] = token
		require.Equal(t, "already_member", post(t, s, "/v1/auth/invite/accept", accept, http.StatusConflict, nil).Code())
		var founder tokens
		post(t, s, "/v1/auth/signup", signUp("unconfirmed"), http.StatusCreated, &founder)
		_, token = invite(t, s, boss, "unconfirmed@example.com", "member")
		require.Equal(t, "already_member", post(t, s, "/v1/auth/invite/accept",
			body{"token": token, "password": "Brand-new-fox-9"}, http.StatusConflict, nil).Code())
		require.True(t, live(t, s, founder), "nothing has happened")
	})
}

func TestInviteStates(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *servertest.Server, clock *clock) {
		boss, stranger := owner(t, s, "crew"), owner(t, s, "other")
		made, old := invite(t, s, boss, "alex@example.com", "member")
		path := "/v1/company/invites/" + made.ID
		accept := func(token string, want int) {
			post(t, s, "/v1/auth/invite/accept", body{"token": token, "password": secret}, want, nil)
		}
		list := func(query string) (found []invitation) {
			var page struct{ Items []invitation }
			r := s.Call(t, "GET", "/v1/company/invites"+query, boss.Access, nil)
			require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
			r.JSON(t, &page)
			return page.Items
		}
		require.Equal(t, http.StatusNotFound, s.Call(t, "DELETE", path, stranger.Access, nil).Status)
		require.Equal(t, http.StatusNotFound, s.Call(t, "POST", path+"/resend", stranger.Access, nil).Status)
		require.Equal(t, http.StatusAccepted, s.Call(t, "POST", path+"/resend", boss.Access, nil).Status)
		token := s.Mail.Token(t, "alex@example.com", "accept-invite")
		accept(old, http.StatusBadRequest)
		require.Len(t, list("?status=open"), 1)
		require.Empty(t, list("?status=revoked"))

		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", path, boss.Access, nil).Status)
		require.Equal(t, "invalid_state", s.Call(t, "DELETE", path, boss.Access, nil).Code())
		require.Equal(t, "invalid_state", s.Call(t, "POST", path+"/resend", boss.Access, nil).Code())
		accept(token, http.StatusGone)
		require.Equal(t, "revoked", list("?status=revoked")[0].Status)

		// A revoked one makes room for another; that one runs out, and can be mailed again.
		made, token = invite(t, s, boss, "alex@example.com", "member")
		clock.add(7*24*time.Hour + time.Minute)
		boss = logIn(t, s, "crew@example.com")
		accept(token, http.StatusGone)
		require.Len(t, list("?status=expired"), 1)
		require.Equal(t, "invalid_state", s.Call(t, "DELETE", "/v1/company/invites/"+made.ID, boss.Access, nil).Code())
		require.Equal(t, http.StatusAccepted, s.Call(t, "POST", "/v1/company/invites/"+made.ID+"/resend", boss.Access, nil).Status)
		accept(s.Mail.Token(t, "alex@example.com", "accept-invite"), http.StatusOK)
		require.Equal(t, "accepted", list("?status=accepted")[0].Status)
		require.Len(t, list(""), 2)
		for _, bad := range []string{"?status=lost", "?status=open&status=open", "?color=red", "?size=0"} {
			require.Equal(t, "validation_failed", s.Call(t, "GET", "/v1/company/invites"+bad, boss.Access, nil).Code(), bad)
		}
	})
}

func TestUnverifiedSessionInvitesNobody(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	var session tokens
	post(t, s, "/v1/auth/signup", signUp("fresh"), http.StatusCreated, &session)
	in := body{"email": "alex@example.com", "full_name": "Alex", "role": "member"}
	require.Equal(t, "email_not_verified", s.Call(t, "POST", "/v1/company/users", session.Access, in).Code())
	require.Equal(t, "email_not_verified", s.Call(t, "POST", "/v1/company/invites/x/resend", session.Access, nil).Code())
	require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/company/users", session.Access, nil).Status)
	verify(t, s, "fresh@example.com")
	require.Equal(t, http.StatusCreated, s.Call(t, "POST", "/v1/company/users", session.Access, in).Status, "the same session")
	in["role"] = "king"
	require.Equal(t, "validation_failed", s.Call(t, "POST", "/v1/company/users", session.Access, in).Code())
}

func TestPeople(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		boss := owner(t, s, "crew")
		alex := join(t, s, boss, "alex@example.com", "member")
		stranger := owner(t, s, "other")
		type row struct {
			UserID   string `json:"user_id"`
			Email    string
			Role     string
			IsActive bool `json:"is_active"`
		}
		list := func(query string) []row {
			var page struct{ Items []row }
			r := s.Call(t, "GET", "/v1/company/users"+query, boss.Access, nil)
			require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
			r.JSON(t, &page)
			return page.Items
		}
		require.Len(t, list(""), 2)
		require.Equal(t, "alex@example.com", list("?q=PACKER")[0].Email)
		require.Equal(t, "crew@example.com", list("?role=owner")[0].Email)
		require.Empty(t, list("?is_active=false"))
		var me struct{ User struct{ ID string } }
		s.Call(t, "GET", "/v1/auth/me", boss.Access, nil).JSON(t, &me)

		path := "/v1/company/users/" + alex.User.ID
		require.Equal(t, http.StatusNotFound, s.Call(t, "PATCH", path, stranger.Access, body{"role": "owner"}).Status)
		require.Equal(t, http.StatusNotFound, s.Call(t, "DELETE", path, stranger.Access, nil).Status)
		require.Equal(t, "last_owner", s.Call(t, "PATCH", "/v1/company/users/"+me.User.ID, boss.Access, body{"role": "admin"}).Code())
		require.Equal(t, "last_owner", s.Call(t, "PATCH", "/v1/company/users/"+me.User.ID, boss.Access, body{"is_active": false}).Code())
		require.Equal(t, "last_owner", s.Call(t, "DELETE", "/v1/company/users/me", boss.Access, nil).Code())
		require.Equal(t, "validation_failed", s.Call(t, "PATCH", path, boss.Access, body{"role": "king"}).Code())
		require.Equal(t, "validation_failed", s.Call(t, "PATCH", path, boss.Access, body{"role": nil}).Code())

		require.Equal(t, http.StatusOK, s.Call(t, "PATCH", path, boss.Access, body{}).Status)
		require.True(t, live(t, s, alex.tokens), "nothing changed")
		r := s.Call(t, "PATCH", path, boss.Access, body{"role": "admin"})
		require.Equal(t, http.StatusOK, r.Status, "%s", r.Body)
		require.Equal(t, "stale_version", s.Call(t, "PATCH", path, boss.Access, body{"role": "member"}, "If-Match", `"1"`).Code())
		require.False(t, live(t, s, alex.tokens), "a changed role ends the sessions")

		// Switched off: signed in, but nobody's member.
		s.Call(t, "PATCH", path, boss.Access, body{"is_active": false}, "If-Match", r.Header.Get("ETag"))
		alex.tokens = logIn(t, s, "alex@example.com")
		require.Equal(t, "no_company", s.Call(t, "GET", "/v1/company", alex.Access, nil).Code())
		require.Len(t, list("?is_active=false"), 1)
		s.Call(t, "PATCH", path, boss.Access, body{"is_active": true, "role": "owner"})
		alex.tokens = logIn(t, s, "alex@example.com")

		// With a second owner the first may go, and found another company.
		require.Equal(t, http.StatusNoContent, s.Call(t, "DELETE", "/v1/company/users/me", boss.Access, nil).Status)
		require.False(t, live(t, s, boss))
		boss = logIn(t, s, "crew@example.com")
		found := body{"name": "Second Crew", "slug": "second-crew", "accept_terms": true, "email": "office@second.example"}
		require.Equal(t, "already_member", s.Call(t, "POST", "/v1/company", alex.Access, found).Code())
		require.Equal(t, http.StatusCreated, s.Call(t, "POST", "/v1/company", boss.Access, found).Status)
		require.Equal(t, "token_outdated", s.Call(t, "GET", "/v1/company", boss.Access, nil).Code())
		post(t, s, "/v1/auth/refresh", body{"refresh_token": boss.Refresh}, http.StatusOK, &boss)
		require.Equal(t, http.StatusOK, s.Call(t, "GET", "/v1/company", boss.Access, nil).Status)
		require.Equal(t, "last_owner", s.Call(t, "DELETE", path, alex.Access, nil).Code())
	})
}

// Two owners who demote each other at the same moment do not leave the company without one.
func TestLastOwnerRace(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		first := owner(t, s, "crew")
		second := join(t, s, first, "second@example.com", "owner")
		var me struct{ User struct{ ID string } }
		s.Call(t, "GET", "/v1/auth/me", first.Access, nil).JSON(t, &me)
		var group sync.WaitGroup
		for access, target := range map[string]string{first.Access: second.User.ID, second.Access: me.User.ID} {
			group.Go(func() { s.Call(t, "PATCH", "/v1/company/users/"+target, access, body{"role": "member"}) })
		}
		group.Wait()
		owners := 0
		for _, login := range []string{"crew@example.com", "second@example.com"} {
			var p person
			post(t, s, "/v1/auth/login", body{"login": login, "password": secret}, http.StatusOK, &p)
			if p.Company.Role == "owner" {
				owners++
			}
		}
		require.Equal(t, 1, owners)
	})
}

// Of many acceptances of one invitation one joins.
func TestAcceptRace(t *testing.T) {
	t.Parallel()
	servertest.Each(t, servertest.Options{}, func(t *testing.T, s *servertest.Server) {
		_, token := invite(t, s, owner(t, s, "crew"), "alex@example.com", "member")
		statuses := make(chan int, 8)
		var group sync.WaitGroup
		for range cap(statuses) {
			group.Go(func() {
				statuses <- s.Call(t, "POST", "/v1/auth/invite/accept", "", body{"token": token, "password": secret}).Status
			})
		}
		group.Wait()
		close(statuses)
		joined := 0
		for status := range statuses {
			switch status {
			case http.StatusOK:
				joined++
			case http.StatusGone, http.StatusConflict:
			default:
				t.Errorf("status %d", status)
			}
		}
		require.Equal(t, 1, joined)
	})
}

func TestFoundCompany(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, servertest.Options{})
	session := account(t, s, "founder")
	found := func(in body) servertest.Response { return s.Call(t, "POST", "/v1/company", session.Access, in) }
	require.Equal(t, "validation_failed", found(body{"name": "Crew", "slug": "crew", "accept_terms": false}).Code())
	require.Equal(t, "validation_failed", found(body{"name": "Crew", "slug": "Two Words", "accept_terms": true}).Code())
	require.Contains(t, string(found(body{"name": "  ", "slug": "crew", "accept_terms": true}).Body), `"pointer":"#/name"`)
	r := found(body{"name": "Crew", "slug": "crew", "accept_terms": true})
	require.Equal(t, http.StatusCreated, r.Status, "%s", r.Body)
	require.Equal(t, "/v1/company", r.Header.Get("Location"))
	refreshed := session
	post(t, s, "/v1/auth/refresh", body{"refresh_token": session.Refresh}, http.StatusOK, &refreshed)
	read := s.Call(t, "GET", "/v1/company", refreshed.Access, nil)
	require.JSONEq(t, string(read.Body), string(r.Body), "the whole company")
	require.Equal(t, read.Header.Get("ETag"), r.Header.Get("ETag"))
	require.Equal(t, "already_member", found(body{"name": "Crew", "slug": "crew-2", "accept_terms": true}).Code())
	require.Equal(t, http.StatusUnauthorized, s.Call(t, "POST", "/v1/company", "", body{}).Status)
}
