package moving

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/pagination"
)

type roomJSON struct {
	ID            string      `json:"id" format:"uuid"`
	Name          string      `json:"name" example:"Living room"`
	Summary       *string     `json:"summary" doc:"One sentence by the model."`
	PackRequested bool        `json:"pack_requested" doc:"The packing service is wanted in this room."`
	Items         []itemJSON  `json:"items" nullable:"false"`
	Photos        []photoJSON `json:"photos" nullable:"false"`
	CreatedAt     time.Time   `json:"created_at"`
	UpdatedAt     time.Time   `json:"updated_at"`
}

func newRoomJSON(r Room, bulkyOver int64) roomJSON {
	v := roomJSON{
		ID: r.ID, Name: r.Name, Summary: r.Summary, PackRequested: r.PackRequested,
		Items: make([]itemJSON, len(r.Items)), Photos: make([]photoJSON, len(r.Photos)),
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
	for i, item := range r.Items {
		v.Items[i] = newItemJSON(item, bulkyOver)
	}
	for i, photo := range r.Photos {
		v.Photos[i] = newPhotoJSON(photo)
	}
	return v
}

func newRoomsJSON(rooms []Room, bulkyOver int64) []roomJSON {
	list := make([]roomJSON, len(rooms))
	for i, room := range rooms {
		list[i] = newRoomJSON(room, bulkyOver)
	}
	return list
}

// bulkyOver is the weight in grams above which the company calls an object bulky.
func (s *Service) bulkyOver(ctx context.Context, companyID string) (int64, error) {
	list, err := s.PriceList(ctx, companyID)
	return list.BulkyThresholdKg * 1000, err
}

type addRoomInput struct {
	Body struct {
		Name          string `json:"name" minLength:"1" maxLength:"100" example:"Living room" doc:"Any name; kitchens take longer to pack."`
		PackRequested bool   `json:"pack_requested" required:"false"`
	}
}

type patchRoomInput struct {
	IDPath
	Precondition
	Body struct {
		Name          optional[string] `json:"name" required:"false" nullable:"false" minLength:"1" maxLength:"100" example:"Bed 1"`
		PackRequested optional[bool]   `json:"pack_requested" required:"false" nullable:"false"`
	}
}

type rowInput struct {
	IDPath
	Precondition
}

func (s *Service) roomEntity(ctx context.Context, at Survey, room Room) (*entity[roomJSON], error) {
	bulky, err := s.bulkyOver(ctx, at.CompanyID)
	if err != nil {
		return nil, err
	}
	return &entity[roomJSON]{etag(room.Version), newRoomJSON(room, bulky)}, nil
}

func (s *Service) registerRooms(api huma.API) {
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "list-rooms", Method: http.MethodGet, Path: "/v1/survey/rooms",
		Summary: "List the rooms", Description: "In the order they were added, with their items and photos.",
		Parameters:         rest.ListParameters(s.roomList),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *struct{ rest.Request }) (*plain[pagination.Page[roomJSON]], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		query, err := s.roomList.Parse(in.Query())
		if err != nil {
			return nil, err
		}
		rooms, err := s.Rooms(ctx, at)
		if err != nil {
			return nil, err
		}
		bulky, err := s.bulkyOver(ctx, at.CompanyID)
		if err != nil {
			return nil, err
		}
		page, err := pagination.Slice(newRoomsJSON(rooms, bulky), query)
		return &plain[pagination.Page[roomJSON]]{page}, err
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "add-room", Method: http.MethodPost, Path: "/v1/survey/rooms",
		Summary: "Add a room", Description: "A move has at most 40.",
		DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *addRoomInput) (*created[roomJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		name := line(in.Body.Name)
		if name == "" {
			return nil, fault.Invalid(fault.Body("#/name", fault.FieldTooShort, "Use at least one visible character."))
		}
		room, err := s.AddRoom(ctx, at, name, in.Body.PackRequested)
		if err != nil {
			return nil, err
		}
		return &created[roomJSON]{"/v1/survey/rooms/" + room.ID, etag(room.Version), newRoomJSON(room, 0)}, nil
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "get-room", Method: http.MethodGet, Path: "/v1/survey/rooms/{id}",
		Summary: "Read a room", Description: "With its items and photos.", Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *IDPath) (*entity[roomJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		room, err := s.Room(ctx, at, in.ID)
		if err != nil {
			return nil, err
		}
		return s.roomEntity(ctx, at, room)
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "update-room", Method: http.MethodPatch, Path: "/v1/survey/rooms/{id}",
		Summary: "Change a room", Description: "Name and the wish to have it packed (merge patch).",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *patchRoomInput) (*entity[roomJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		match, err := ParseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		var faults []fault.Field
		var probe Room
		edit := func(r *Room) {
			applyName(in.Body.Name, &r.Name, "#/name", &faults)
			in.Body.PackRequested.apply(&r.PackRequested, "#/pack_requested", &faults)
		}
		edit(&probe) // the form is judged before the row is looked at
		if err := invalidIf(faults); err != nil {
			return nil, err
		}
		var room Room
		if in.Body.Name.sent || in.Body.PackRequested.sent {
			room, err = s.UpdateRoom(ctx, at, in.ID, match, edit)
		} else {
			room, err = s.Room(ctx, at, in.ID)
		}
		if err != nil {
			return nil, err
		}
		return s.roomEntity(ctx, at, room)
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "delete-room", Method: http.MethodDelete, Path: "/v1/survey/rooms/{id}",
		Summary: "Delete a room", Description: "With its items and photos.",
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
	}), func(ctx context.Context, in *rowInput) (*struct{}, error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		match, err := ParseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, s.DeleteRoom(ctx, at, in.ID, match)
	})
}
