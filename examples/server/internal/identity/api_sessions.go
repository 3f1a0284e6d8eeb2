package identity

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/auth"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/pagination"
)

type sessionRowJSON struct {
	ID         string    `json:"id" format:"uuid"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at" doc:"When its tokens were last refreshed."`
	ExpiresAt  time.Time `json:"expires_at" doc:"When it ends unless it is refreshed."`
	IP         string    `json:"ip" example:"192.0.2.1"`
	UserAgent  string    `json:"user_agent"`
	Transport  string    `json:"transport" enum:"bearer,cookie"`
	Current    bool      `json:"current" doc:"The session of this request."`
}

type sessionListOutput struct {
	CacheControl string `header:"Cache-Control"`
	Link         string `header:"Link" doc:"first, prev, next, last (RFC 8288)."`
	Body         pagination.Page[sessionRowJSON]
}

type logOutAllInput struct {
	rest.Request
	Body *struct {
		KeepCurrent bool `json:"keep_current" required:"false" doc:"Leave the session of this request alone."`
	} `required:"false"`
}

// SessionPath names a session.
type SessionPath struct {
	ID string `path:"id" doc:"Identifier of the session (UUID)."`
}

func sessionList() pagination.Config {
	return pagination.Config{
		TieBreaker: pagination.Field{Name: "id", Column: "s.id", Kind: pagination.UUID}, Mode: pagination.PageOnly,
	}
}

// registerSessions adds the operations on one's own sessions.
func (s *Service) registerSessions(mux *http.ServeMux, api huma.API) {
	rest.Register(api, s.signedIn(huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/v1/auth/sessions", Tags: []string{tag},
		Summary:            "List one's sessions",
		Description:        "Live sessions, the newest first.",
		Parameters:         rest.ListParameters(s.sessionList),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*sessionListOutput, error) {
		access, _ := AccessFrom(ctx)
		query, err := s.sessionList.Parse(in.Query())
		if err != nil {
			return nil, err
		}
		list, err := s.sessions.Sessions(ctx, access.User.ID)
		if err != nil {
			return nil, sessionFault(err)
		}
		page, err := pagination.Slice(list, query)
		if err != nil {
			return nil, err
		}
		return &sessionListOutput{noStore, rest.Links(in.Query(), page), pagination.Map(page, func(ses auth.Session) sessionRowJSON {
			return newSessionRow(ses, access.SessionID)
		})}, nil
	})
	rest.Register(api, s.permitted(permission.SessionRevoke.Own, huma.Operation{
		OperationID: "end-session", Method: http.MethodDelete, Path: "/v1/auth/sessions/{id}", Tags: []string{tag},
		Summary: "End one of one's sessions", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}), func(ctx context.Context, in *SessionPath) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		return nil, sessionFault(s.sessions.RevokeSession(ctx, access.User.ID, in.ID))
	})
	rest.Register(api, s.signedIn(huma.Operation{
		OperationID: "log-out-all", Method: http.MethodPost, Path: "/v1/auth/logout-all", Tags: []string{tag},
		Summary: "End all of one's sessions", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusUnprocessableEntity, http.StatusServiceUnavailable},
	}), func(ctx context.Context, in *logOutAllInput) (*struct{}, error) {
		access, _ := AccessFrom(ctx)
		var keep []string
		if in.Body != nil && in.Body.KeepCurrent {
			keep = append(keep, access.SessionID)
		}
		if err := s.endSessions(ctx, access.User.ID, keep...); err != nil {
			return nil, err
		}
		s.note(ctx, audit.Event{Action: trail.LogOutAll, Entity: userEntity(access.User.ID)})
		if len(keep) == 0 {
			s.dropCookie(in.HTTP())
		}
		return nil, nil
	})
	rest.Handle(mux, api, tokenOperation(api), nil, s.token)
}

func newSessionRow(ses auth.Session, current string) sessionRowJSON {
	return sessionRowJSON{
		ID: ses.ID, CreatedAt: ses.CreatedAt, LastUsedAt: ses.LastUsedAt, ExpiresAt: ses.IdleExpiresAt,
		IP: ses.Attributes["ip"], UserAgent: ses.Attributes["user_agent"],
		Transport: transport(ses), Current: ses.ID == current,
	}
}

func transport(ses auth.Session) string {
	return cmp.Or(ses.Attributes[auth.AttributeTransport], transportBearer) // none: begun before they were noted
}

const formType = "application/x-www-form-urlencoded"

func tokenOperation(api huma.API) huma.Operation {
	text := &huma.Schema{Type: huma.TypeString}
	return huma.Operation{
		OperationID: "token", Method: http.MethodPost, Path: "/v1/auth/token", Tags: []string{tag},
		Summary:     "Log in with a form",
		Description: "For OAuth2 tools (RFC 6749, section 4.3). client_id, client_secret and scope are passed over.",
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{formType: {Schema: &huma.Schema{
			Type: huma.TypeObject, Required: []string{"grant_type", "username", "password"},
			Properties: map[string]*huma.Schema{
				"grant_type": {Type: huma.TypeString, Enum: []any{"password"}}, "username": text, "password": text,
			},
		}}}},
		Responses: map[string]*huma.Response{"200": {
			Description: "OK",
			Content: map[string]*huma.MediaType{"application/json": {
				Schema: api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[TokensJSON](), true, "Tokens"),
			}},
		}},
		Errors: []int{
			http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestEntityTooLarge,
			http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusServiceUnavailable,
		},
	}
}

// token is the log-in of OAuth2 tools.
func (s *Service) token(w http.ResponseWriter, r *http.Request) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != formType {
		return fault.New(fault.UnsupportedMedia, "Send the body as "+formType+".")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxAuthBody)
	if err := r.ParseForm(); err != nil {
		var limit *http.MaxBytesError
		if errors.As(err, &limit) {
			return fault.New(fault.TooLarge, "The request body is larger than allowed.")
		}
		return fault.New(fault.Malformed, "The form cannot be read.")
	}
	if faults := tokenFaults(r.PostForm); len(faults) > 0 {
		return fault.Invalid(faults...)
	}
	userID, err := s.Authenticate(r.Context(), r.PostForm.Get("username"), r.PostForm.Get("password"))
	if err != nil {
		return err
	}
	session, err := s.begin(w, r, userID, auth.Delivery{})
	if err != nil {
		return err
	}
	s.noteLogIn(r.Context(), session.Access)
	w.Header().Set("Cache-Control", noStore)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(newTokensJSON(session.Tokens)) // fails only when the client has gone
	return nil
}

func tokenFaults(form url.Values) (faults []fault.Field) {
	for _, name := range []string{"grant_type", "password", "username"} {
		switch values := form[name]; {
		case len(values) == 0 || values[0] == "":
			faults = append(faults, fault.Body("#/"+name, fault.FieldRequired, "This field is required."))
		case len(values) > 1:
			faults = append(faults, fault.Body("#/"+name, fault.FieldRepeatedParameter, "Send this field once."))
		case name == "grant_type" && values[0] != "password":
			faults = append(faults, fault.Body("#/"+name, fault.FieldNotAllowed, "Use password."))
		case len(values[0]) > 1024:
			faults = append(faults, fault.Body("#/"+name, fault.FieldTooLong, "Use at most 1024 bytes."))
		}
	}
	return faults
}
