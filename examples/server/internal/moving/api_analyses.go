package moving

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/middleware"
)

// AnalysisJSON is how an analysis stands.
type AnalysisJSON struct {
	ID            string     `json:"id" format:"uuid"`
	RoomID        string     `json:"room_id" format:"uuid"`
	Status        string     `json:"status" enum:"queued,running,succeeded,failed,cancelled"`
	Percent       int64      `json:"percent" minimum:"0" maximum:"100" example:"60" doc:"Never goes back; 100 only when succeeded."`
	Photos        int64      `json:"photos" example:"6"`
	ItemsFound    int64      `json:"items_found" example:"14"`
	Model         *string    `json:"model" example:"gpt-4.1-mini" doc:"As the provider names it; simulator when simulated."`
	PromptVersion *string    `json:"prompt_version"`
	InputTokens   int64      `json:"input_tokens"`
	OutputTokens  int64      `json:"output_tokens"`
	DurationMs    int64      `json:"duration_ms"`
	ErrorCode     *string    `json:"error_code" enum:"rate_limited,upstream_failed,interrupted,model_refused,answer_truncated,invalid_answer,over_budget,no_usable_photo,not_configured,internal" doc:"Why it failed."`
	CreatedAt     time.Time  `json:"created_at"`
	StartedAt     *time.Time `json:"started_at"`
	FinishedAt    *time.Time `json:"finished_at"`
}

func newAnalysisJSON(a Analysis) AnalysisJSON {
	return AnalysisJSON{
		ID: a.ID, RoomID: a.RoomID, Status: string(a.Status), Percent: a.Progress, Photos: a.Photos,
		ItemsFound: a.ItemsFound, Model: a.Model, PromptVersion: a.PromptVersion,
		InputTokens: a.InputTokens, OutputTokens: a.OutputTokens, DurationMs: a.Duration.Milliseconds(),
		ErrorCode: a.ErrorCode, CreatedAt: a.CreatedAt, StartedAt: a.StartedAt, FinishedAt: a.FinishedAt,
	}
}

// analysisDetailJSON adds the items of the room once the analysis has succeeded.
type analysisDetailJSON struct {
	AnalysisJSON
	Items []itemJSON `json:"items" nullable:"false" doc:"The items of the room, once succeeded."`
}

type acceptedOutput struct {
	Location string `header:"Location"`
	Body     AnalysisJSON
}

func (s *Service) registerAnalyses(mux *http.ServeMux, api huma.API) {
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "analyze-room", Method: http.MethodPost, Path: "/v1/survey/rooms/{id}/analyses",
		Summary:       "Analyse a room again",
		Description:   "Replaces what the model found earlier and nobody has edited. One analysis of a room at a time.",
		DefaultStatus: http.StatusAccepted,
		Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}), func(ctx context.Context, in *IDPath) (*acceptedOutput, error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		analysis, err := s.Analyze(ctx, at, in.ID)
		if err != nil {
			return nil, err
		}
		return &acceptedOutput{"/v1/survey/analyses/" + analysis.ID, newAnalysisJSON(analysis)}, nil
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "get-analysis", Method: http.MethodGet, Path: "/v1/survey/analyses/{id}",
		Summary: "Read an analysis", Description: "Status and percent, and the items of the room once it has succeeded.",
		Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *IDPath) (*plain[analysisDetailJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		analysis, err := s.Analysis(ctx, at, in.ID)
		if err != nil {
			return nil, err
		}
		detail := analysisDetailJSON{AnalysisJSON: newAnalysisJSON(analysis), Items: []itemJSON{}}
		if analysis.Status == Succeeded {
			items, err := roomItems(ctx, s.db, at, analysis.RoomID)
			if err != nil {
				return nil, err
			}
			bulky, err := s.bulkyOver(ctx, at.CompanyID)
			if err != nil {
				return nil, err
			}
			for _, item := range items {
				detail.Items = append(detail.Items, newItemJSON(item, bulky))
			}
		}
		return &plain[analysisDetailJSON]{detail}, nil
	})
	event := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[AnalysisJSON](), true, "Analysis")
	rest.Handle(mux, api, huma.Operation{
		OperationID: "follow-analysis", Method: http.MethodGet, Path: "/v1/survey/analyses/{id}/events", Tags: []string{tagSurvey},
		Summary: "Follow an analysis",
		Description: "Server-sent events: progress whenever status or percent changes, done with the final state, after which the " +
			"stream ends. Each holds the analysis as JSON. After a break connect again; the first event is the present state.",
		Security: rest.Survey(),
		Parameters: append(pathParams("id"), &huma.Param{
			Name: "Last-Event-ID", In: "header", Description: "Sent by browsers that connect again; the present state is sent either way.",
			Schema: &huma.Schema{Type: huma.TypeString},
		}),
		Responses: map[string]*huma.Response{"200": {
			Description: "Events whose data is the analysis.",
			Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: event}},
		}},
		Errors: []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusGone},
	}, []middleware.Middleware{s.RequireSurvey}, s.follow)
}

const (
	followEvery = 250 * time.Millisecond
	// followBeat keeps proxies from closing a quiet stream.
	followBeat = 15 * time.Second
	// followLimit ends a stream; clients connect again, with a token that is checked again.
	followLimit = 10 * time.Minute
)

// follow streams the state of an analysis until it is final.
func (s *Service) follow(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	at, err := opened(ctx)
	if err != nil {
		return err
	}
	analysis, err := s.Analysis(ctx, at, r.PathValue("id"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would collect the events
	w.WriteHeader(http.StatusOK)

	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	start := time.Now()
	quiet := start
	var last Analysis
	for n := 1; ; n++ {
		switch {
		case analysis.Status != last.Status || analysis.Progress != last.Progress:
			if err := sendEvent(w, n, analysis); err != nil {
				return nil //nolint:nilerr // the client went away; there is nobody to tell
			}
			last, quiet = analysis, time.Now()
		case time.Since(quiet) >= followBeat:
			if err := send(w, ": beat\n\n"); err != nil {
				return nil //nolint:nilerr // as above
			}
			quiet = time.Now()
		}
		if analysis.Status.Final() || time.Since(start) >= followLimit {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if analysis, err = s.Analysis(ctx, at, r.PathValue("id")); err != nil {
			return nil //nolint:nilerr // deleted with its room, or the server stops: the stream just ends
		}
	}
}

func sendEvent(w http.ResponseWriter, n int, a Analysis) error {
	name := "progress"
	if a.Status.Final() {
		name = "done"
	}
	data, err := json.Marshal(newAnalysisJSON(a))
	if err != nil {
		return fmt.Errorf("moving: encode event: %w", err)
	}
	return send(w, fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", n, name, data))
}

// send writes and flushes under a deadline of its own, which replaces the server's for whole answers.
func send(w http.ResponseWriter, text string) error {
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(10 * time.Second)) // not every writer has one
	if _, err := w.Write([]byte(text)); err != nil {
		return fmt.Errorf("moving: send event: %w", err)
	}
	if err := control.Flush(); err != nil {
		return fmt.Errorf("moving: flush event: %w", err)
	}
	return nil
}
