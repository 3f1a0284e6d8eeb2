package main

import (
	"bytes"
	"fmt"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/cedar-policy/cedar-go"
	"github.com/mikespook/gorbac"

	"github.com/groundwork-go/groundwork/rbac"
)

func nestedMap(roles []rbac.Role) map[string]map[string]bool {
	nested := make(map[string]map[string]bool, len(roles))
	for i := range roles {
		granted := make(map[string]bool, len(roles[i].Grants))
		for _, permission := range roles[i].Grants {
			granted[permission] = true
		}
		nested[roles[i].Name] = granted
	}
	return nested
}

func gorbacOf(r *rights) *gorbac.RBAC {
	all := gorbac.New()
	for i := range r.roles {
		role := gorbac.NewStdRole(r.roles[i].Name)
		for _, permission := range r.roles[i].Grants {
			check(role.Assign(gorbac.NewStdPermission(permission)))
		}
		check(all.Add(role))
	}
	return all
}

// The matchers of casbin. With the role last it is looked for only in rules about the right object.
const (
	roleFirst = "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act" // as documented
	roleLast  = "r.obj == p.obj && r.act == p.act && g(r.sub, p.sub)"
)

const casbinModel = `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = `

func casbinOf(r *rights, matcher string) *casbin.Enforcer {
	e := must(casbin.NewEnforcer(must(model.NewModelFromString(casbinModel + matcher))))
	fillCasbin(e, r)
	return e
}

// cachedCasbinOf also makes sure that what the tables say about it is still so.
func cachedCasbinOf(r *rights) *casbin.CachedEnforcer {
	cached := func() *casbin.CachedEnforcer {
		e := must(casbin.NewCachedEnforcer(must(model.NewModelFromString(casbinModel + roleFirst))))
		fillCasbin(e.Enforcer, r)
		return e
	}
	for _, revoke := range []func(e *casbin.CachedEnforcer) (bool, error){
		func(e *casbin.CachedEnforcer) (bool, error) { return e.RemovePolicy(r.held[0][2], r.hits[0], "use") },
		func(e *casbin.CachedEnforcer) (bool, error) { return e.DeleteRoleForUser(r.users[0], r.held[0][2]) },
	} {
		e := cached()
		before := must(e.Enforce(r.users[0], r.hits[0], "use"))
		removed := must(revoke(e))
		after, truth := must(e.Enforce(r.users[0], r.hits[0], "use")), must(e.Enforcer.Enforce(r.users[0], r.hits[0], "use"))
		if !before || !removed || truth || !after {
			panic("casbin's cached enforcer is no longer stale: the text about it is wrong")
		}
	}
	return cached()
}

func fillCasbin(e *casbin.Enforcer, r *rights) {
	var rules, holders [][]string
	for i := range r.roles {
		for _, permission := range r.roles[i].Grants {
			rules = append(rules, []string{r.roles[i].Name, permission, "use"})
		}
	}
	for k, user := range r.users {
		for _, role := range r.held[k] {
			holders = append(holders, []string{user, role})
		}
	}
	if !must(e.AddPolicies(rules)) || !must(e.AddGroupingPolicies(holders)) {
		panic("casbin took no rules")
	}
}

func cedarOf(roles []rbac.Role) *cedar.PolicySet {
	var text bytes.Buffer
	for i := range roles {
		fmt.Fprintf(&text, "permit (principal in Role::%q, action in [", roles[i].Name)
		for j, permission := range roles[i].Grants {
			if j > 0 {
				text.WriteString(", ")
			}
			fmt.Fprintf(&text, "Action::%q", permission)
		}
		text.WriteString("], resource);\n")
	}
	return must(cedar.NewPolicySetFromBytes("roles.cedar", text.Bytes()))
}

func cedarUsers(r *rights) cedar.EntityMap {
	entities := cedar.EntityMap{}
	for k, user := range r.users {
		var parents []cedar.EntityUID
		for _, role := range r.held[k] {
			id := cedar.NewEntityUID("Role", cedar.String(role))
			parents = append(parents, id)
			entities[id] = cedar.Entity{UID: id}
		}
		id := cedar.NewEntityUID("User", cedar.String(user))
		entities[id] = cedar.Entity{UID: id, Parents: cedar.NewEntityUIDSet(parents...)}
	}
	return entities
}

func cedarRequests(r *rights, asked []string) []cedar.Request {
	var list []cedar.Request
	for k, permission := range asked {
		list = append(list, cedar.Request{
			Principal: cedar.NewEntityUID("User", cedar.String(r.users[k])),
			Action:    cedar.NewEntityUID("Action", cedar.String(permission)),
			Resource:  cedar.NewEntityUID("Company", "one"),
		})
	}
	return list
}

func allows(policies *cedar.PolicySet, entities cedar.EntityMap, request cedar.Request) bool {
	decision, diagnostic := cedar.Authorize(policies, entities, request)
	if len(diagnostic.Errors) > 0 {
		panic(diagnostic.Errors[0].Message)
	}
	return decision == cedar.Allow
}
