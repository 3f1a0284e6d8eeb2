package moving

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/middleware"
)

type photoJSON struct {
	ID        string    `json:"id" format:"uuid"`
	RoomID    string    `json:"room_id" format:"uuid"`
	Bytes     int64     `json:"bytes" example:"284113"`
	Width     int64     `json:"width" example:"1500"`
	Height    int64     `json:"height" example:"1000"`
	CreatedAt time.Time `json:"created_at"`
}

func newPhotoJSON(p Photo) photoJSON {
	return photoJSON{ID: p.ID, RoomID: p.RoomID, Bytes: p.Bytes, Width: p.Width, Height: p.Height, CreatedAt: p.CreatedAt}
}

// outcomeJSON is what became of one file.
type outcomeJSON struct {
	Name     string                 `json:"name" example:"kitchen.jpg" doc:"As the client calls the file."`
	Accepted bool                   `json:"accepted"`
	Code     *string                `json:"code" example:"image_corrupt" doc:"Why it was refused; duplicate for a photo the move had already."`
	Detail   *string                `json:"detail"`
	Photo    rest.OrNull[photoJSON] `json:"photo"`
}

type uploadJSON struct {
	Photos   []outcomeJSON             `json:"photos" nullable:"false" doc:"One outcome for each file, in order."`
	Analysis rest.OrNull[AnalysisJSON] `json:"analysis" doc:"null when every photo was known already."`
}

func newOutcomesJSON(outcomes []Outcome) []outcomeJSON {
	list := make([]outcomeJSON, len(outcomes))
	for i, o := range outcomes {
		list[i] = outcomeJSON{Name: o.Name, Accepted: o.Refusal == nil}
		switch {
		case o.Refusal != nil:
			list[i].Code, list[i].Detail = &o.Refusal.Code, &o.Refusal.Detail
		case o.Duplicate:
			list[i].Code = new("duplicate")
		}
		if o.Photo != nil {
			list[i].Photo.Value = new(newPhotoJSON(*o.Photo))
		}
	}
	return list
}

// upload takes the photos of a request for a room; an empty id is the room "Whole Property".
func (s *Service) upload(w http.ResponseWriter, r *http.Request, roomID string) error {
	ctx := r.Context()
	at, err := opened(ctx)
	if err != nil {
		return err
	}
	if err := s.checkUpload(ctx, at, roomID); err != nil {
		return err
	}
	files, err := s.readUpload(w, r)
	if err != nil {
		return err
	}
	if refusal := allRefused(files); refusal != nil {
		return refusal
	}
	outcomes, analysis, err := s.storePhotos(ctx, at, roomID, files)
	if err != nil {
		return err
	}
	answer := uploadJSON{Photos: newOutcomesJSON(outcomes)}
	status := http.StatusOK
	if analysis != nil {
		status = http.StatusAccepted
		answer.Analysis.Value = new(newAnalysisJSON(*analysis))
		w.Header().Set("Location", "/v1/survey/analyses/"+analysis.ID)
	}
	return sendJSON(w, status, answer)
}

// allRefused returns the answer to an upload of which nothing can be kept: that of the first file,
// with the outcome of each.
func allRefused(files []prepared) error {
	outcomes := make([]Outcome, len(files))
	for i, file := range files {
		if file.refusal == nil {
			return nil
		}
		outcomes[i] = Outcome{Name: file.name, Refusal: file.refusal}
	}
	return fault.With(files[0].refusal, "photos", newOutcomesJSON(outcomes))
}

func sendJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("moving: encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away needs no answer
	return nil
}

// sendPhoto writes the content of a photo.
func (s *Service) sendPhoto(w http.ResponseWriter, r *http.Request, at Survey, id string) (err error) {
	photo, content, err := s.OpenPhoto(r.Context(), at, id)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	h := w.Header()
	h.Set("Content-Type", photoType)
	h.Set("Content-Length", strconv.FormatInt(photo.Bytes, 10))
	h.Set("Content-Disposition", "inline")
	h.Set("Cache-Control", "private, max-age=300")
	h.Set("X-Content-Type-Options", "nosniff")
	if _, err := io.Copy(w, content); err != nil {
		return fmt.Errorf("moving: send photo: %w", err)
	}
	return nil
}

func jpegResponse() map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: "The photo.",
		Content:     map[string]*huma.MediaType{photoType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}}
}

// uploadOperation documents an upload.
func uploadOperation(api huma.API, id, path, summary string, params []*huma.Param) huma.Operation {
	answer := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[uploadJSON](), true, "Upload")
	response := func(text string) *huma.Response {
		return &huma.Response{Description: text, Content: map[string]*huma.MediaType{"application/json": {Schema: answer}}}
	}
	one, six := 1, maxUploadPhotos
	return huma.Operation{
		OperationID: id, Method: http.MethodPost, Path: path, Tags: []string{tagSurvey}, Summary: summary,
		Description: "Up to six files named photos: JPEG, PNG or WebP by content, at most 10 MiB and 40 megapixels each. Each has an " +
			"outcome of its own; with one accepted the answer is 202 and an analysis is queued, with none it is that of the first " +
			"refusal. A file over 10 MiB ends the whole request with 413. A file the move has already is answered with the photo " +
			"it has; with nothing but such files the answer is 200.",
		Security: rest.Survey(), Parameters: params,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: &huma.Schema{
			Type: huma.TypeObject, Required: []string{uploadField},
			Properties: map[string]*huma.Schema{uploadField: {
				Type: huma.TypeArray, MinItems: &one, MaxItems: &six,
				Items: &huma.Schema{Type: huma.TypeString, Format: "binary"},
			}},
		}}}},
		Responses: map[string]*huma.Response{
			"200": response("Every photo was known already."),
			"202": response("At least one photo was taken; see its analysis."),
		},
		Errors: []int{
			http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusConflict, http.StatusGone,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
			http.StatusServiceUnavailable,
		},
	}
}

func (s *Service) registerPhotos(mux *http.ServeMux, api huma.API) {
	customer := []middleware.Middleware{s.RequireSurvey}
	rest.Handle(mux, api, uploadOperation(api, "upload-photos", "/v1/survey/rooms/{id}/photos", "Upload photos of a room", pathParams("id")),
		customer, func(w http.ResponseWriter, r *http.Request) error {
			// A room has an identifier, so an empty one cannot come from the path.
			return s.upload(w, r, r.PathValue("id"))
		})
	rest.Handle(mux, api, uploadOperation(api, "upload-property-photos", "/v1/survey/photos", "Upload photos of the whole property", nil),
		customer, func(w http.ResponseWriter, r *http.Request) error { return s.upload(w, r, "") })
	rest.Handle(mux, api, huma.Operation{
		OperationID: "get-photo", Method: http.MethodGet, Path: "/v1/survey/photos/{id}/content", Tags: []string{tagSurvey},
		Summary: "Download a photo", Description: "As it is stored: JPEG, upright, without metadata.",
		Security: rest.Survey(), Parameters: pathParams("id"), Responses: jpegResponse(),
		Errors: []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusGone},
	}, customer, func(w http.ResponseWriter, r *http.Request) error {
		at, err := opened(r.Context())
		if err != nil {
			return err
		}
		return s.sendPhoto(w, r, at, r.PathValue("id"))
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "delete-photo", Method: http.MethodDelete, Path: "/v1/survey/photos/{id}",
		Summary: "Delete a photo", Description: "The items found on it stay.",
		DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusNotFound, http.StatusConflict},
	}), func(ctx context.Context, in *IDPath) (*struct{}, error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		return nil, s.DeletePhoto(ctx, at, in.ID)
	})
}
