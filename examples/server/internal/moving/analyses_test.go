package moving_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving"
	"github.com/groundwork-go/groundwork/vision"
)

// analysed opens a survey with a room and one uploaded photo, and returns the analysis.
func analysed(t *testing.T, e *env) (at moving.Survey, token, room, analysis string) {
	t.Helper()
	at, token = e.survey(e.company("bright").ID)
	room = e.room(token, "Living room")
	a := e.upload(token, "/v1/survey/rooms/"+room+"/photos", file{"a.jpg", picture(t, 1)})
	require.Equal(t, 202, a.status, a.text)
	analysis = a.body["analysis"].(map[string]any)["id"].(string)
	require.Equal(t, "/v1/survey/analyses/"+analysis, a.header.Get("Location"))
	return at, token, room, analysis
}

func TestAnalysisFindsItems(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token, room, id := analysed(t, e)
		queued := e.ok(token, "GET", "/v1/survey/analyses/"+id, "").body
		require.Equal(t, "queued", queued["status"])
		require.Equal(t, "analysis_running", e.call(token, "POST", "/v1/survey/rooms/"+room+"/analyses", "").code())

		side, weight := 100.0, 60.004
		e.analyzer.set(func(_ context.Context, r vision.Request) (*vision.Result, error) {
			r.OnProgress(vision.Progress{Prepared: 1, Total: 1})
			return found(r, vision.Item{
				Name: "Oak table", Quantity: 2, LengthCM: &side, WidthCM: &side, HeightCM: &side, WeightKG: &weight,
				Category: vision.CategoryFurniture, Packing: vision.PackingNone, Confidence: 0.9, Fragile: true,
				PhotoIDs: []string{r.Photos[0].ID, "unknown"}, Flags: []vision.Flag{vision.FlagClamped},
			}), nil
		})
		require.NoError(t, e.work())
		done := e.ok(token, "GET", "/v1/survey/analyses/"+id, "").body
		require.Equal(t, "succeeded", done["status"])
		require.Equal(t, []any{100.0, 1.0, 1.0, "test-model", "p1", 100.0, 10.0}, []any{
			done["percent"], done["photos"], done["items_found"], done["model"], done["prompt_version"],
			done["input_tokens"], done["output_tokens"],
		})
		items := done["items"].([]any)
		require.Len(t, items, 1)
		item := items[0].(map[string]any)
		require.Equal(t, []any{"Oak table", 2.0, 100.0, 1.0, 60.0, true, true, 0.9, "ai", false}, []any{
			item["name"], item["qty"], item["length_cm"], item["volume_m3"], item["weight_kg"], item["bulky"],
			item["fragile"], item["confidence"], item["source"], item["edited"],
		})
		require.Len(t, item["photo_ids"], 1)
		require.Equal(t, []any{"clamped"}, item["flags"])
		require.Equal(t, "A room.", e.ok(token, "GET", "/v1/survey/rooms/"+room, "").body["summary"])

		// A second run of the queue job finds nothing to do.
		require.NoError(t, e.registry.Run(t.Context(), moving.AnalyzePhotos{AnalysisID: id}))
		require.Len(t, e.analyzer.asked, 1)
	})
}

func TestAnalysisAgainKeepsWhatPeopleTouched(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token, room, _ := analysed(t, e)
		answer := func(names ...string) {
			e.analyzer.set(func(_ context.Context, r vision.Request) (*vision.Result, error) {
				var items []vision.Item
				for _, name := range names {
					items = append(items, vision.Item{Name: name, Quantity: 1})
				}
				return found(r, items...), nil
			})
		}
		answer("Sofa", "Lamp", "Rug")
		require.NoError(t, e.work())
		rooms := "/v1/survey/rooms/" + room
		e.ok(token, "POST", rooms+"/items", `{"name":"Piano"}`)
		for _, item := range e.ok(token, "GET", rooms, "").body["items"].([]any) {
			if row := item.(map[string]any); row["name"] == "Sofa" {
				e.ok(token, "PATCH", "/v1/survey/items/"+row["id"].(string), `{"name":"Blue settee","qty":2}`)
			}
		}
		answer("sofa", "Lamp", "Chair")
		require.Equal(t, 202, e.call(token, "POST", rooms+"/analyses", "").status)
		require.NoError(t, e.work())
		require.ElementsMatch(t, []string{"Piano", "Blue settee"}, e.analyzer.asked[1].Known)
		var names []string
		for _, item := range e.ok(token, "GET", rooms, "").body["items"].([]any) {
			names = append(names, item.(map[string]any)["name"].(string))
		}
		require.ElementsMatch(t, []string{"Blue settee", "Piano", "Lamp", "Chair"}, names)
	})
}

func TestAnalysisFailures(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		tests := []struct {
			name  string
			err   error
			empty bool
			code  string
			runs  int
		}{
			{"refused", vision.ErrRefused, false, "model_refused", 1},
			{"invalid", &vision.ModelError{Err: vision.ErrInvalidOutput, Message: "secret"}, false, "invalid_answer", 1},
			{"unavailable", vision.ErrUnavailable, false, "upstream_failed", 3},
			{"rate limited", vision.ErrRateLimited, false, "rate_limited", 3},
			{"unknown", errors.New("boom"), false, "internal", 3},
			{"nothing analysed", nil, true, "no_usable_photo", 1},
		}
		_, token := e.survey(e.company("bright").ID)
		for n, tt := range tests {
			room := e.room(token, tt.name)
			e.analyzer.set(func(_ context.Context, r vision.Request) (*vision.Result, error) {
				result := found(r)
				if tt.empty {
					result.Photos[0].Status = vision.PhotoOverBudget
				}
				return result, tt.err
			})
			a := e.upload(token, "/v1/survey/rooms/"+room+"/photos", file{"a.jpg", picture(t, 100+n)})
			id := a.body["analysis"].(map[string]any)["id"].(string)
			job := moving.AnalyzePhotos{AnalysisID: id}
			for range tt.runs - 1 {
				require.Error(t, e.registry.Run(t.Context(), job), "the queue shall try again")
				require.Equal(t, "queued", e.ok(token, "GET", "/v1/survey/analyses/"+id, "").body["status"])
			}
			require.NoError(t, e.registry.Run(t.Context(), job))
			failed := e.ok(token, "GET", "/v1/survey/analyses/"+id, "")
			require.Equal(t, "failed", failed.body["status"], tt.name)
			require.Equal(t, tt.code, failed.body["error_code"])
			require.NotContains(t, failed.text, "secret")
			// A failed room can be looked at again.
			require.Equal(t, 202, e.call(token, "POST", "/v1/survey/rooms/"+room+"/analyses", "").status)
		}
	})
}

// A worker that dies leaves a running row. It is picked up when its lease is over, once.
func TestKilledWorkerIsReplaced(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token, room, id := analysed(t, e)
		e.queue.take()
		path := "/v1/survey/analyses/" + id
		killed := make(chan struct{})
		release := make(chan struct{})
		ended := make(chan error, 1)
		e.analyzer.set(func(_ context.Context, r vision.Request) (*vision.Result, error) {
			close(killed)
			<-release
			return found(r, vision.Item{Name: "Ghost", Quantity: 1}), nil
		})
		go func() {
			ended <- e.registry.Run(context.WithoutCancel(t.Context()), moving.AnalyzePhotos{AnalysisID: id})
		}()
		<-killed
		require.Equal(t, "running", e.ok(token, "GET", path, "").body["status"])
		require.NoError(t, e.service.Reap(t.Context()))
		require.Empty(t, e.queue.take(), "the lease holds")

		e.advance(time.Minute)
		require.NoError(t, e.service.Reap(t.Context()))
		requeued := e.queue.take()
		require.Equal(t, []any{moving.AnalyzePhotos{AnalysisID: id}}, []any{requeued[0]})
		require.NoError(t, e.service.Reap(t.Context()))
		require.Empty(t, e.queue.take(), "once")

		e.analyzer.set(nil)
		require.NoError(t, e.registry.Run(t.Context(), requeued[0]))
		require.Equal(t, "succeeded", e.ok(token, "GET", path, "").body["status"])

		// The first worker was only slow. What it found must not appear.
		close(release)
		require.NoError(t, <-ended)
		text := e.ok(token, "GET", "/v1/survey/rooms/"+room, "").text
		require.NotContains(t, text, "Ghost")
		require.Equal(t, 1, strings.Count(text, `"Fabric sofa","original_name"`))
	})
}

func TestReapGivesUpInTheEnd(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token, _, id := analysed(t, e)
		e.queue.take()
		// The context is cancelled as if the process stopped before it could tidy up.
		e.analyzer.set(func(context.Context, vision.Request) (*vision.Result, error) { return nil, vision.ErrUnavailable })
		for range 2 {
			require.Error(t, e.registry.Run(t.Context(), moving.AnalyzePhotos{AnalysisID: id}))
		}
		_, err := e.db.Exec(t.Context(), `UPDATE analyses SET attempts = 6 WHERE id = $1`, id)
		require.NoError(t, err)
		e.advance(time.Hour)
		require.NoError(t, e.service.Reap(t.Context()))
		require.Empty(t, e.queue.take())
		a := e.ok(token, "GET", "/v1/survey/analyses/"+id, "").body
		require.Equal(t, []any{"failed", "interrupted"}, []any{a["status"], a["error_code"]})
	})
}

func TestStoppingServerGivesTheAnalysisBack(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token, _, id := analysed(t, e)
		for range 5 { // more often than failures are forgiven
			ctx, stop := context.WithCancel(t.Context())
			e.analyzer.set(func(ctx context.Context, r vision.Request) (*vision.Result, error) {
				stop()
				<-ctx.Done()
				return found(r), ctx.Err()
			})
			require.Error(t, e.registry.Run(ctx, moving.AnalyzePhotos{AnalysisID: id}))
			require.Equal(t, "queued", e.ok(token, "GET", "/v1/survey/analyses/"+id, "").body["status"])
		}
	})
}

func TestAnalysisIsCancelledWhenTheMoveLeavesInProgress(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		at, token, room, id := analysed(t, e)
		e.analyzer.set(func(_ context.Context, r vision.Request) (*vision.Result, error) {
			_, err := e.db.Exec(t.Context(), `UPDATE jobs SET status = 'survey_complete' WHERE id = $1`, at.MoveID)
			require.NoError(t, err)
			return found(r, vision.Item{Name: "Late", Quantity: 1}), nil
		})
		require.NoError(t, e.work())
		require.Equal(t, "cancelled", e.ok(token, "GET", "/v1/survey/analyses/"+id, "").body["status"])
		require.NotContains(t, e.ok(token, "GET", "/v1/survey/rooms/"+room, "").text, "Late")
	})
}

func TestHeartbeatCancelsTheCall(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		at, token, _, id := analysed(t, e)
		e.analyzer.set(func(ctx context.Context, r vision.Request) (*vision.Result, error) {
			_, err := e.db.Exec(t.Context(), `UPDATE jobs SET status = 'survey_complete' WHERE id = $1`, at.MoveID)
			require.NoError(t, err)
			r.OnProgress(vision.Progress{Prepared: 1, Total: 1})
			<-ctx.Done() // ends with the next heartbeat
			return found(r), ctx.Err()
		})
		require.NoError(t, e.work())
		require.Equal(t, "cancelled", e.ok(token, "GET", "/v1/survey/analyses/"+id, "").body["status"])
	})
}

func TestOneWorkerClaims(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, _, _, id := analysed(t, e)
		for _, err := range parallel(8, func(int) error {
			return e.registry.Run(t.Context(), moving.AnalyzePhotos{AnalysisID: id})
		}) {
			require.NoError(t, err)
		}
		require.Len(t, e.analyzer.asked, 1)
	})
}

// Photos that come while the room is being looked at wait for the end of it, and are seen then.
func TestUploadWhileTheRoomIsAnalysed(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token, room, first := analysed(t, e)
		path := "/v1/survey/rooms/" + room + "/photos"
		joined := e.upload(token, path, file{"b.jpg", picture(t, 2)})
		require.Equal(t, first, joined.body["analysis"].(map[string]any)["id"], "nothing has been read yet")
		var second string
		for _, fails := range []bool{false, true} {
			var runs int
			e.analyzer.set(func(_ context.Context, r vision.Request) (*vision.Result, error) {
				runs++
				if runs == 1 {
					late := e.upload(token, path, file{"c.jpg", picture(t, len(r.Photos)+10)})
					require.Equal(t, 202, late.status, late.text)
					second = late.body["analysis"].(map[string]any)["id"].(string)
					require.NotEqual(t, first, second)
					early := moving.AnalyzePhotos{AnalysisID: second}
					require.NoError(t, e.registry.Run(t.Context(), early), "it waits for its turn")
					require.Equal(t, "queued", e.ok(token, "GET", "/v1/survey/analyses/"+second, "").body["status"])
					e.queue.take()
					if fails {
						return nil, vision.ErrRefused
					}
				}
				return found(r), nil
			})
			require.NoError(t, e.registry.Run(t.Context(), moving.AnalyzePhotos{AnalysisID: first}))
			require.Equal(t, []any{moving.AnalyzePhotos{AnalysisID: second}}, []any{e.queue.take()[0]}, "the end wakes it")
			if fails {
				break
			}
			first = second
		}
		require.NoError(t, e.registry.Run(t.Context(), moving.AnalyzePhotos{AnalysisID: second}))
		done := e.ok(token, "GET", "/v1/survey/analyses/"+second, "").body
		require.Equal(t, []any{"succeeded", 4.0}, []any{done["status"], done["photos"]})
	})
}

// An analysis that is given back while another waits keeps its turn.
func TestReleasedAnalysisKeepsItsTurn(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token, room, first := analysed(t, e)
		job := moving.AnalyzePhotos{AnalysisID: first}
		var second string
		e.analyzer.set(func(context.Context, vision.Request) (*vision.Result, error) {
			if second == "" {
				late := e.upload(token, "/v1/survey/rooms/"+room+"/photos", file{"c.jpg", picture(t, 2)})
				second = late.body["analysis"].(map[string]any)["id"].(string)
			}
			return nil, vision.ErrUnavailable
		})
		require.Error(t, e.registry.Run(t.Context(), job))
		e.advance(time.Hour)
		e.queue.take()
		require.NoError(t, e.service.Reap(t.Context()))
		require.Len(t, e.queue.take(), 2)
		e.analyzer.set(nil)
		require.NoError(t, e.registry.Run(t.Context(), moving.AnalyzePhotos{AnalysisID: second}))
		require.Equal(t, "queued", e.ok(token, "GET", "/v1/survey/analyses/"+second, "").body["status"])
		require.NoError(t, e.registry.Run(t.Context(), job))
		require.NoError(t, e.registry.Run(t.Context(), moving.AnalyzePhotos{AnalysisID: second}))
		for _, id := range []string{first, second} {
			require.Equal(t, "succeeded", e.ok(token, "GET", "/v1/survey/analyses/"+id, "").body["status"])
		}
	})
}

func TestFollowAnAnalysis(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		_, token, _, id := analysed(t, e)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.server.URL+"/v1/survey/analyses/"+id+"/events", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Last-Event-ID", "whatever")
		response, err := e.server.Client().Do(r)
		require.NoError(t, err)
		defer func() { _ = response.Body.Close() }()
		require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))

		seen := make(chan struct{})
		e.analyzer.set(func(_ context.Context, r vision.Request) (*vision.Result, error) {
			r.OnProgress(vision.Progress{Prepared: 1, Total: 1})
			<-seen
			return found(r), nil
		})
		worked := make(chan error, 1)
		go func() { worked <- e.work() }()
		var text strings.Builder
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			text.WriteString(lines.Text() + "\n")
			if strings.Contains(lines.Text(), `"percent":20`) {
				close(seen)
			}
		}
		require.NoError(t, lines.Err())
		require.NoError(t, <-worked)
		require.True(t, strings.HasPrefix(text.String(), "id: 1\nevent: progress\ndata: {"), text.String())
		last := text.String()[strings.LastIndex(text.String(), "event: "):]
		require.Contains(t, last, "event: done\n")
		require.Contains(t, last, `"status":"succeeded","percent":100`)
		require.Equal(t, 404, e.call(token, "GET", "/v1/survey/analyses/0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f/events", "").status)
	})
}
