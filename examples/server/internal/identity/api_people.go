package identity

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/pagination"
)

const tagPeople = "People"

type memberJSON struct {
	UserID      string     `json:"user_id" format:"uuid"`
	FullName    *string    `json:"full_name"`
	Username    string     `json:"username"`
	Email       string     `json:"email"`
	Role        string     `json:"role" enum:"owner,admin,member"`
	IsActive    bool       `json:"is_active"`
	LastLoginAt *time.Time `json:"last_login_at"`
	JoinedAt    time.Time  `json:"joined_at"`
}

func newMemberJSON(m Member) memberJSON {
	out := memberJSON{
		UserID: m.UserID, Username: m.Username, Email: m.Email, Role: m.Role, IsActive: m.Active,
		LastLoginAt: m.LastLoginAt, JoinedAt: m.JoinedAt,
	}
	if m.FullName != "" {
		out.FullName = &m.FullName
	}
	return out
}

type inviteJSON struct {
	ID        string    `json:"id" format:"uuid"`
	Email     string    `json:"email"`
	FullName  string    `json:"full_name"`
	Role      string    `json:"role" enum:"owner,admin,member"`
	Status    string    `json:"status" enum:"open,accepted,revoked,expired"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (s *Service) newInviteJSON(i Invite) inviteJSON {
	return inviteJSON{
		ID: i.ID, Email: i.Email, FullName: i.FullName, Role: i.Role, Status: i.Status(s.clock()), ExpiresAt: i.ExpiresAt,
	}
}

type (
	memberListOutput struct {
		Link string `header:"Link" doc:"first, prev, next, last (RFC 8288)."`
		Body pagination.Page[memberJSON]
	}
	memberOutput struct {
		ETag string `header:"ETag" doc:"The version, for If-Match."`
		Body memberJSON
	}
	inviteListOutput struct {
		Link string `header:"Link" doc:"first, prev, next, last (RFC 8288)."`
		Body pagination.Page[inviteJSON]
	}
	inviteOutput struct {
		Location string `header:"Location"`
		Body     inviteJSON
	}
)

// PersonPath names a person of the company. It is exported because huma passes over embedded structs
// that are not.
type PersonPath struct {
	ID string `path:"id" doc:"Identifier of the account (UUID)."`
}

// InvitePath names an invitation.
type InvitePath struct {
	ID string `path:"id" doc:"Identifier of the invitation (UUID)."`
}

type inviteInput struct {
	Body struct {
		Email    string `json:"email" maxLength:"254" example:"alex@example.com"`
		FullName string `json:"full_name" minLength:"1" maxLength:"200" example:"Alex Packer"`
		Role     string `json:"role" enum:"owner,admin,member" example:"member"`
	}
}

type patchMemberInput struct {
	PersonPath
	Precondition
	Body struct {
		Role     rest.Optional[string] `json:"role" required:"false" nullable:"false" enum:"owner,admin,member" example:"admin"`
		IsActive rest.Optional[bool]   `json:"is_active" required:"false" nullable:"false"`
	}
}

type endMembershipInput struct {
	PersonPath
	Precondition
}

type acceptInput struct {
	rest.Request
	Body struct {
		Delivery
		Token    string `json:"token" minLength:"1" maxLength:"512" doc:"The token of the mailed link."`
		Password string `json:"password" minLength:"1" maxLength:"4096" example:"Correct-horse-7" doc:"A new one, or that of the account that has the address."`
		Username string `json:"username" required:"false" example:"alex" doc:"Of a new account; without it one is made up."`
	}
}

// people completes an operation for those who manage the people of their company.
func (s *Service) people(op huma.Operation) huma.Operation {
	op.Tags = []string{tagPeople}
	return s.permitted(permission.MemberManage, op)
}

func (s *Service) registerPeople(api huma.API) {
	rest.Register(api, s.people(huma.Operation{
		OperationID: "list-people", Method: http.MethodGet, Path: "/v1/company/users",
		Summary: "List the people of the company", Parameters: rest.ListParameters(s.memberList),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*memberListOutput, error) {
		access, _ := AccessFrom(ctx)
		page, err := s.Members(ctx, access.Company.ID, in.Query())
		if err != nil {
			return nil, err
		}
		return &memberListOutput{rest.Links(in.Query(), page), pagination.Map(page, newMemberJSON)}, nil
	})
	rest.Register(api, s.people(huma.Operation{
		OperationID: "invite", Method: http.MethodPost, Path: "/v1/company/users",
		Summary:       "Invite somebody",
		Description:   "Mails a link that works for seven days. An account is made when it is used.",
		DefaultStatus: http.StatusCreated, Middlewares: huma.Middlewares{rest.Use(RequireVerified)},
		Errors: []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}), func(ctx context.Context, in *inviteInput) (*inviteOutput, error) {
		access, _ := AccessFrom(ctx)
		invite, err := s.Invite(ctx, access, NewInvite(in.Body))
		if err != nil {
			return nil, err
		}
		return &inviteOutput{"/v1/company/invites/" + invite.ID, s.newInviteJSON(invite)}, nil
	})
	rest.Register(api, s.people(huma.Operation{
		OperationID: "update-person", Method: http.MethodPatch, Path: "/v1/company/users/{id}",
		Summary:     "Change a person's role",
		Description: "Ends the person's sessions. A company keeps at least one active owner.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *patchMemberInput) (*memberOutput, error) {
		access, _ := AccessFrom(ctx)
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		member, err := s.UpdateMember(ctx, access.Company.ID, in.ID, match, MemberPatch(in.Body))
		if err != nil {
			return nil, err
		}
		return &memberOutput{`"` + strconv.FormatInt(member.Version, 10) + `"`, newMemberJSON(member)}, nil
	})
	rest.Register(api, s.people(huma.Operation{
		OperationID: "remove-person", Method: http.MethodDelete, Path: "/v1/company/users/{id}",
		Summary:       "Take a person out of the company",
		Description:   "Ends the membership and the person's sessions; the account stays.",
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}), func(ctx context.Context, in *endMembershipInput) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		match, err := rest.ParseMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, s.EndMembership(ctx, access.Company.ID, in.ID, match)
	})
	rest.Register(api, s.permitted(permission.CompanyRead, huma.Operation{
		OperationID: "leave-company", Method: http.MethodDelete, Path: "/v1/company/users/me", Tags: []string{tagPeople},
		Summary: "Leave the company", Description: "Ends one's membership and sessions; the account stays.",
		DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusConflict},
	}), func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		return nil, s.EndMembership(ctx, access.Company.ID, access.User.ID, rest.Match{})
	})
}

func (s *Service) registerInvites(api huma.API) {
	rest.Register(api, s.people(huma.Operation{
		OperationID: "list-invites", Method: http.MethodGet, Path: "/v1/company/invites",
		Summary: "List the invitations",
		Parameters: append(rest.ListParameters(s.inviteList), &huma.Param{
			Name: "status", In: "query", Description: "Only invitations in this state.",
			Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{InviteOpen, InviteAccepted, InviteRevoked, InviteExpired}},
		}),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*inviteListOutput, error) {
		access, _ := AccessFrom(ctx)
		page, err := s.Invites(ctx, access.Company.ID, in.Query())
		if err != nil {
			return nil, err
		}
		return &inviteListOutput{rest.Links(in.Query(), page), pagination.Map(page, s.newInviteJSON)}, nil
	})
	rest.Register(api, s.people(huma.Operation{
		OperationID: "revoke-invite", Method: http.MethodDelete, Path: "/v1/company/invites/{id}",
		Summary: "Take an open invitation back", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusNotFound, http.StatusConflict},
	}), func(ctx context.Context, in *InvitePath) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		return nil, s.RevokeInvite(ctx, access.Company.ID, in.ID)
	})
	rest.Register(api, s.people(huma.Operation{
		OperationID: "resend-invite", Method: http.MethodPost, Path: "/v1/company/invites/{id}/resend",
		Summary:       "Mail an invitation again",
		Description:   "With a new token and for seven more days; the older token is void.",
		DefaultStatus: http.StatusAccepted, Middlewares: huma.Middlewares{rest.Use(RequireVerified)},
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}), func(ctx context.Context, in *InvitePath) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		return nil, s.ResendInvite(ctx, access.Company.ID, in.ID)
	})
	rest.Register(api, huma.Operation{
		OperationID: "accept-invite", Method: http.MethodPost, Path: "/v1/auth/invite/accept", Tags: []string{tagPeople},
		Summary: "Join a company",
		Description: "Takes the token of the mailed link and signs in. Whoever has a confirmed account gives its password, " +
			"anybody else chooses one.",
		Errors: []int{
			http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusGone,
			http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
		},
	}, func(ctx context.Context, in *acceptInput) (*sessionOutput, error) {
		userID, err := s.AcceptInvite(ctx, Acceptance{
			Token: in.Body.Token, Password: in.Body.Password, Username: in.Body.Username,
		})
		return s.signedInAs(&in.Request, in.Body.Delivery, userID, err)
	})
}
