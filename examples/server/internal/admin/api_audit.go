package admin

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/audit/sqlaudit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/pagination"
)

type entryListOutput struct {
	Link string `header:"Link" doc:"first, prev, next, last (RFC 8288)."`
	Body pagination.Page[entryJSON]
}

// verifyJSON is what the check of the hash chain has found.
type verifyJSON struct {
	Intact   bool       `json:"intact"`
	Events   int64      `json:"events" doc:"Entries in the chain that are what was sealed."`
	Hash     string     `json:"hash" doc:"Of the last one. Keep it elsewhere to recognise a rewritten trail."`
	Unsealed int64      `json:"unsealed" doc:"Entries of the last minute, which are in no chain yet."`
	Oldest   *time.Time `json:"oldest_unsealed_at"`

	Fault rest.OrNull[faultJSON] `json:"fault"`
}

type faultJSON struct {
	Kind    string `json:"kind" example:"content"`
	Seq     int64  `json:"seq" doc:"Place in the chain, 0 without one."`
	EventID string `json:"event_id"`
	Detail  string `json:"detail"`
}

func (s *Service) registerAudit(mux *http.ServeMux, api huma.API) {
	rest.Register(api, s.only(permission.AuditRead, huma.Operation{
		OperationID: "list-audit-logs", Method: http.MethodGet, Path: "/v1/admin/audit-logs", Tags: []string{tagAudit},
		Summary: "List the audit trail", Description: "Entries of all companies, the newest first. Insert-only. Dates in from and to are whole days, both included.",
		Parameters:         rest.ListParameters(s.auditList),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*entryListOutput, error) {
		return s.list(ctx, s.auditList, "", in.Query())
	})
	rest.Register(api, s.only(permission.CompanyAudit, huma.Operation{
		OperationID: "list-company-audit", Method: http.MethodGet, Path: "/v1/company/audit", Tags: []string{tagAudit},
		Summary:            "List the company's audit trail",
		Description:        "What happened in the company, the newest first. Staff of the platform appear as platform.",
		Parameters:         rest.ListParameters(s.companyList),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*entryListOutput, error) {
		companyID, ok := s.cfg.Company(ctx)
		if !ok {
			return nil, fault.New(fault.NoCompany, "This account belongs to no company.")
		}
		return s.list(ctx, s.companyList, companyID, in.Query())
	})
	rest.Register(api, s.only(permission.AuditRead, huma.Operation{
		OperationID: "verify-audit-logs", Method: http.MethodPost, Path: "/v1/admin/audit-logs/verify", Tags: []string{tagAudit},
		Summary:     "Check the audit trail",
		Description: "Reads the hash chain from its beginning. The first fault is in the answer.",
	}), func(ctx context.Context, _ *struct{}) (*struct{ Body verifyJSON }, error) {
		report, err := s.cfg.Trail.Verify(ctx, sqlaudit.VerifyOptions{})
		if err != nil {
			return nil, err
		}
		return &struct{ Body verifyJSON }{newVerifyJSON(report)}, nil
	})
	text := &huma.Schema{Type: huma.TypeString}
	op := s.only(permission.AuditRead, huma.Operation{
		OperationID: "export-audit-logs", Method: http.MethodGet, Path: "/v1/admin/audit-logs/export", Tags: []string{tagAudit},
		Summary:     "Export the audit trail",
		Description: "All entries that the filters pick, the oldest first, as they are stored: JSON lines, or CSV for a spreadsheet.",
		Parameters:  exportParameters(s.auditList),
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
			jsonLines: {Schema: text}, "text/csv": {Schema: text},
		}}},
		Errors: []int{http.StatusUnprocessableEntity},
	})
	op.Middlewares = nil // a plain handler has its own
	rest.Handle(mux, api, op, []middleware.Middleware{s.cfg.Require(permission.AuditRead)}, s.export)
}

func (s *Service) list(ctx context.Context, spec *pagination.Spec, companyID string, parameters url.Values) (*entryListOutput, error) {
	query, err := spec.Parse(rest.WholeDays(parameters, time.UTC), companyID)
	if err != nil {
		return nil, err
	}
	events, err := s.cfg.Trail.Query(ctx, auditFilter(companyID), query)
	if err != nil {
		return nil, err
	}
	page, err := s.entries(ctx, companyID, events)
	if err != nil {
		return nil, err
	}
	return &entryListOutput{rest.Links(parameters, page), page}, nil
}

func newVerifyJSON(r sqlaudit.Report) verifyJSON {
	out := verifyJSON{Intact: r.Fault == nil, Events: r.Events, Hash: r.Hash, Unsealed: r.Unsealed}
	if !r.Oldest.IsZero() {
		out.Oldest = &r.Oldest
	}
	if f := r.Fault; f != nil {
		out.Fault.Value = &faultJSON{Kind: string(f.Kind), Seq: f.Seq, EventID: f.EventID, Detail: f.Detail}
	}
	return out
}

const jsonLines = "application/jsonl"

// exportParameters are the filters of the list, and the form.
func exportParameters(list *pagination.Spec) []*huma.Param {
	params := []*huma.Param{{
		Name: "format", In: "query", Description: "jsonl, the default, or csv.",
		Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{string(sqlaudit.JSONL), string(sqlaudit.CSV)}},
	}}
	for _, p := range rest.ListParameters(list) {
		switch p.Name {
		case "page", "size", "cursor", "sort":
		default:
			params = append(params, p)
		}
	}
	return params
}

// export streams entries. The list's specification checks the filters; they are plain enough to be read
// once more after that.
func (s *Service) export(w http.ResponseWriter, r *http.Request) error {
	parameters := rest.WholeDays(r.URL.Query(), time.UTC)
	format := sqlaudit.Format(parameters.Get("format"))
	parameters.Del("format")
	kind := jsonLines
	switch format {
	case "":
		format = sqlaudit.JSONL
	case sqlaudit.JSONL:
	case sqlaudit.CSV:
		kind = "text/csv"
	default:
		return fault.Invalid(fault.Parameter("format", fault.FieldNotAllowed, "Use jsonl or csv."))
	}
	if _, err := s.auditList.Parse(parameters); err != nil {
		return err
	}
	filter := sqlaudit.Filter{
		Tenant: parameters.Get("company_id"), AllTenants: !parameters.Has("company_id"),
		ActorID: parameters.Get("user_id"), Action: parameters.Get("action"), EntityType: parameters.Get("entity_type"),
		EntityID: parameters.Get("entity_id"), IP: parameters.Get("ip"), RequestID: parameters.Get("request_id"),
		Outcome: audit.Outcome(parameters.Get("outcome")), From: moment(parameters.Get("from")), To: moment(parameters.Get("to")),
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Disposition", `attachment; filename="audit.`+string(format)+`"`)
	_, err := s.cfg.Trail.Export(r.Context(), filter, w, format)
	return err
}

// moment reads a time that the specification has accepted.
func moment(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{} // absent
	}
	return at
}
