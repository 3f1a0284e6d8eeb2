package identity

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/rbac"
)

// tag groups the operations in the API document.
const tag = "Sign-in"

// maxAuthBody bounds the bodies of /v1/auth/*.
const maxAuthBody = 8 << 10

// TokensJSON is exported because huma passes over embedded structs that are not.
type TokensJSON struct {
	AccessToken      string `json:"access_token" doc:"Send it as Authorization: Bearer."`
	TokenType        string `json:"token_type" enum:"Bearer"`
	ExpiresIn        int64  `json:"expires_in" doc:"Life of the access token in seconds." example:"900"`
	RefreshToken     string `json:"refresh_token,omitempty" doc:"Exchange it at /v1/auth/refresh; it changes every time. Left out when it is in the cookie."`
	RefreshExpiresIn int64  `json:"refresh_expires_in" doc:"Seconds until the session ends unless it is refreshed." example:"2592000"`
}

// UserJSON is an account as its owner sees it. It is exported because huma passes over embedded structs
// that are not.
type UserJSON struct {
	ID                string    `json:"id" format:"uuid"`
	Username          string    `json:"username"`
	Email             string    `json:"email"`
	PendingEmail      *string   `json:"pending_email"`
	FullName          *string   `json:"full_name"`
	Role              string    `json:"role" doc:"Global role."`
	IsVerified        bool      `json:"is_verified"`
	ProfilePictureURL *string   `json:"profile_picture_url"`
	CreatedAt         time.Time `json:"created_at"`
	UpdatedAt         time.Time `json:"updated_at"`
}

type companyJSON struct {
	ID   string `json:"id" format:"uuid"`
	Name string `json:"name"`
	Slug string `json:"slug"`
	Role string `json:"role" enum:"owner,admin,member" doc:"Role of the account in this company."`
}

type sessionJSON struct {
	TokensJSON
	User    UserJSON                 `json:"user"`
	Company rest.OrNull[companyJSON] `json:"company"`
}

type sessionInfoJSON struct {
	ID        string    `json:"id" format:"uuid"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	Transport string    `json:"transport" enum:"bearer,cookie"`
}

type meJSON struct {
	User        UserJSON                 `json:"user"`
	Company     rest.OrNull[companyJSON] `json:"company"`
	Permissions []string                 `json:"permissions" doc:"What the account may do, sorted."`
	Session     sessionInfoJSON          `json:"session"`
}

// Delivery is how the body of a sign-in asks for the refresh token. It is exported because huma
// passes over embedded structs that are not.
type Delivery struct {
	Transport string `json:"transport,omitempty" enum:"bearer,cookie" default:"bearer" doc:"Where the refresh token goes: into the answer, or into a cookie that scripts cannot read."`
	Remember  *bool  `json:"remember,omitempty" default:"true" doc:"Of the cookie: false makes it end with the browser."`
}

func (d Delivery) wanted() auth.Delivery {
	return auth.Delivery{Cookie: d.Transport == transportCookie, Session: d.Remember != nil && !*d.Remember}
}

type signUpInput struct {
	rest.Request
	Body struct {
		Delivery
		CompanyName string  `json:"company_name" minLength:"2" maxLength:"255" example:"Bright Removals"`
		Slug        string  `json:"slug" minLength:"2" maxLength:"100" example:"bright-removals" doc:"Short name in public addresses: lower-case letters, digits and single hyphens."`
		Email       string  `json:"email" maxLength:"254" example:"owner@example.com"`
		FullName    string  `json:"full_name" minLength:"1" maxLength:"200" example:"Robin Owner"`
		Phone       *string `json:"phone,omitempty" maxLength:"40" nullable:"true" example:"+44 20 7946 0000"`
		Password    string  `json:"password" example:"Correct-horse-7" doc:"8 to 1024 bytes with an upper-case letter and a digit."`
		AcceptTerms bool    `json:"accept_terms" example:"true"`
	}
}

type logInInput struct {
	rest.Request
	Body struct {
		Delivery
		Login    string `json:"login" minLength:"1" maxLength:"254" example:"owner@example.com" doc:"E-mail address or username."`
		Password string `json:"password" minLength:"1" maxLength:"1024" example:"Correct-horse-7"`
	}
}

type refreshInput struct {
	rest.Request
	Body *struct {
		RefreshToken string `json:"refresh_token,omitempty" minLength:"1" maxLength:"512" doc:"Left out by browsers that have it in the cookie."`
	} `required:"false"`
}

// token is the refresh token of the body, or "" when the cookie counts.
func (in *refreshInput) token() string {
	if in.Body == nil {
		return ""
	}
	return in.Body.RefreshToken
}

type (
	tokensOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         TokensJSON
	}
	sessionOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         sessionJSON
	}
	meOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         meJSON
	}
)

const (
	noStore         = "no-store"
	transportBearer = "bearer"
	transportCookie = "cookie"

	cookieRule = "Without refresh_token the cookie counts; two tokens at once are refused."
)

// cookieParam documents the cookie.
func cookieParam() []*huma.Param {
	return []*huma.Param{{
		Name: "__Host-rt", In: "cookie", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "The refresh token of sign-ins with transport cookie; rt over plain HTTP in development.",
	}}
}

// Register adds the operations on accounts and sessions to the API.
func (s *Service) Register(mux *http.ServeMux, api huma.API) {
	s.registerMail(api)
	s.registerSessions(mux, api)
	s.registerAccount(api)
	s.registerUsers(api)
	s.registerPeople(api)
	s.registerInvites(api)
	s.registerClosing(api)
	mux.Handle("GET /.well-known/jwks.json", s.keys.JWKSHandler())
	rest.Register(api, huma.Operation{
		OperationID: "sign-up", Method: http.MethodPost, Path: "/v1/auth/signup", Tags: []string{tag},
		Summary:       "Found a company",
		Description:   "Makes a company with three free survey credits and default prices, and its owner's account, and signs the owner in.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxAuthBody,
		Errors: []int{http.StatusConflict, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *signUpInput) (*sessionOutput, error) {
		phone := ""
		if in.Body.Phone != nil {
			phone = *in.Body.Phone
		}
		userID, err := s.SignUp(ctx, SignUp{
			CompanyName: in.Body.CompanyName, Slug: in.Body.Slug, Email: in.Body.Email,
			FullName: in.Body.FullName, Phone: phone, Password: in.Body.Password,
			AcceptTerms: in.Body.AcceptTerms,
		})
		return s.signedInAs(&in.Request, in.Body.Delivery, userID, err)
	})
	rest.Register(api, huma.Operation{
		OperationID: "log-in", Method: http.MethodPost, Path: "/v1/auth/login", Tags: []string{tag},
		Summary: "Log in", Description: "A session that the browser's cookie still holds is ended.", MaxBodyBytes: maxAuthBody,
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *logInInput) (*sessionOutput, error) {
		userID, err := s.Authenticate(ctx, in.Body.Login, in.Body.Password)
		if err != nil {
			return nil, err
		}
		w, r := in.HTTP()
		session, err := s.begin(w, r, userID, in.Body.wanted())
		if err != nil {
			return nil, err
		}
		s.noteLogIn(ctx, session.Access)
		return newSessionOutput(session), nil
	})
	rest.Register(api, huma.Operation{
		OperationID: "refresh", Method: http.MethodPost, Path: "/v1/auth/refresh", Tags: []string{tag},
		Summary: "Refresh the tokens",
		Description: "Each refresh token works once. A copy that a parallel request or a lost answer caused is answered with the same " +
			"new token for ten seconds; any later use ends the session. " + cookieRule,
		Parameters:   cookieParam(),
		MaxBodyBytes: maxAuthBody,
		Errors: []int{
			http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict,
			http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
		},
	}, func(_ context.Context, in *refreshInput) (*tokensOutput, error) {
		w, r := in.HTTP()
		tokens, err := s.handlers.Renew(w, r, in.token())
		if err != nil {
			return nil, sessionFault(err)
		}
		return &tokensOutput{noStore, newTokensJSON(tokens)}, nil
	})
	rest.Register(api, huma.Operation{
		OperationID: "log-out", Method: http.MethodPost, Path: "/v1/auth/logout", Tags: []string{tag},
		Summary:       "Log out",
		Description:   "Ends the session of the refresh token. Needs no access token and succeeds for a token that is unknown or over. " + cookieRule,
		Parameters:    cookieParam(),
		DefaultStatus: http.StatusNoContent, MaxBodyBytes: maxAuthBody,
		Errors: []int{
			http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
		},
	}, func(_ context.Context, in *refreshInput) (*struct{}, error) {
		w, r := in.HTTP()
		return nil, sessionFault(s.handlers.End(w, r, in.token()))
	})
	rest.Register(api, huma.Operation{
		OperationID: "me", Method: http.MethodGet, Path: "/v1/auth/me", Tags: []string{tag},
		Summary:     "Who am I",
		Security:    rest.Staff(),
		Middlewares: huma.Middlewares{rest.Use(s.Require)},
		Errors:      []int{http.StatusUnauthorized},
	}, func(ctx context.Context, _ *struct{}) (*meOutput, error) {
		access, _ := AccessFrom(ctx)
		session, err := s.sessions.Session(ctx, access.SessionID)
		if err != nil {
			return nil, sessionFault(err)
		}
		return &meOutput{noStore, meJSON{
			User: newUserJSON(access.User), Company: newCompanyJSON(access), Permissions: permissionNames(ctx),
			Session: sessionInfoJSON{
				ID: session.ID, CreatedAt: session.CreatedAt, ExpiresAt: session.IdleExpiresAt, Transport: transport(session),
			},
		}}, nil
	})
}

// permissionNames lists what whoever is signed in may do.
func permissionNames(ctx context.Context) []string {
	subject, _ := rbac.SubjectFrom(ctx)
	names := []string{}
	for p := range subject.Permissions() {
		names = append(names, p.String())
	}
	slices.Sort(names)
	return names
}

func newTokensJSON(t auth.Tokens) TokensJSON {
	return TokensJSON{
		AccessToken: t.Access, TokenType: "Bearer", ExpiresIn: int64(t.AccessTTL / time.Second),
		RefreshToken: t.Refresh, RefreshExpiresIn: int64(t.RefreshTTL / time.Second),
	}
}

// signedInAs ends a sign-up that has made the account, or failed with err.
func (s *Service) signedInAs(in *rest.Request, d Delivery, userID string, err error) (*sessionOutput, error) {
	if err != nil {
		return nil, err
	}
	w, r := in.HTTP()
	session, err := s.begin(w, r, userID, d.wanted())
	if err != nil {
		return nil, err
	}
	return newSessionOutput(session), nil
}

func newSessionOutput(session Session) *sessionOutput {
	return &sessionOutput{noStore, sessionJSON{
		TokensJSON: newTokensJSON(session.Tokens),
		User:       newUserJSON(session.Access.User),
		Company:    newCompanyJSON(session.Access),
	}}
}

func newUserJSON(u User) UserJSON {
	out := UserJSON{
		ID: u.ID, Username: u.Username, Email: u.Email, Role: u.Role, IsVerified: u.VerifiedAt != nil,
		CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt,
	}
	if u.FullName != "" {
		out.FullName = &u.FullName
	}
	if u.PendingEmail != "" {
		out.PendingEmail = &u.PendingEmail
	}
	return out
}

func newCompanyJSON(a Access) rest.OrNull[companyJSON] {
	if a.Company == nil {
		return rest.OrNull[companyJSON]{}
	}
	return rest.OrNull[companyJSON]{Value: &companyJSON{
		ID: a.Company.ID, Name: a.Company.Name, Slug: a.Company.Slug, Role: a.CompanyRole,
	}}
}
