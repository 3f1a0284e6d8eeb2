package moving

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/vision"
)

type itemJSON struct {
	ID           string    `json:"id" format:"uuid"`
	RoomID       string    `json:"room_id" format:"uuid"`
	Name         string    `json:"name" example:"3-seat sofa"`
	OriginalName *string   `json:"original_name" doc:"What the model called it."`
	Qty          int64     `json:"qty" example:"1"`
	LengthCm     *float64  `json:"length_cm" example:"210"`
	WidthCm      *float64  `json:"width_cm" example:"92"`
	HeightCm     *float64  `json:"height_cm" example:"85"`
	VolumeM3     *float64  `json:"volume_m3" example:"1.6422" doc:"Of one piece."`
	WeightKg     *float64  `json:"weight_kg" example:"48" doc:"Of one piece."`
	Bulky        bool      `json:"bulky" doc:"Heavier than the company's threshold."`
	Fragile      bool      `json:"fragile"`
	Category     string    `json:"item_category" example:"furniture"`
	Packing      string    `json:"packing_requirement" example:"none"`
	VariantGroup *string   `json:"variant_group" example:"sofa" doc:"Group of usual sizes, see /v1/variants."`
	VariantID    *string   `json:"variant_id" example:"sofa_3_seat"`
	Confidence   *float64  `json:"confidence" example:"0.9" doc:"The model's own estimate, 0 to 1."`
	PhotoIDs     []string  `json:"photo_ids" nullable:"false" doc:"The photos that show it."`
	Flags        []string  `json:"flags" nullable:"false" doc:"What was corrected, or should be looked at by a person."`
	Notes        *string   `json:"notes"`
	Source       string    `json:"source" enum:"ai,customer"`
	Edited       bool      `json:"edited" doc:"Touched by a person; no later analysis changes it."`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

func newItemJSON(i Item, bulkyOver int64) itemJSON {
	return itemJSON{
		ID: i.ID, RoomID: i.RoomID, Name: i.Name, OriginalName: i.OriginalName, Qty: i.Qty,
		LengthCm: convert(i.Length, centimetres), WidthCm: convert(i.Width, centimetres),
		HeightCm: convert(i.Height, centimetres), VolumeM3: convert(i.Volume, cubicMetres),
		WeightKg: convert(i.Weight, kilograms), Bulky: i.Weight != nil && *i.Weight > bulkyOver,
		Fragile: i.Fragile, Category: i.Category, Packing: i.Packing, VariantGroup: i.VariantGroup,
		VariantID:  i.VariantID,
		Confidence: convert(i.Confidence, func(bp int64) float64 { return float64(bp) / 10_000 }),
		PhotoIDs:   i.PhotoIDs, Flags: i.Flags, Notes: i.Notes, Source: string(i.Source),
		Edited: i.Edited, CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt,
	}
}

type addItemInput struct {
	IDPath
	Body struct {
		Name     string   `json:"name" minLength:"1" maxLength:"120" example:"3-seat sofa"`
		Qty      *int64   `json:"qty,omitempty" minimum:"1" maximum:"200" example:"1" doc:"Default 1."`
		LengthCm *float64 `json:"length_cm,omitempty" minimum:"1" maximum:"1000" example:"210"`
		WidthCm  *float64 `json:"width_cm,omitempty" minimum:"1" maximum:"1000" example:"92"`
		HeightCm *float64 `json:"height_cm,omitempty" minimum:"1" maximum:"1000" example:"85"`
		VolumeM3 *float64 `json:"volume_m3,omitempty" exclusiveMinimum:"0" maximum:"20" example:"1.53" doc:"Used unless all three sides are given."`
		WeightKg *float64 `json:"weight_kg,omitempty" minimum:"0" maximum:"2000" example:"48"`
		Fragile  bool     `json:"fragile" required:"false"`
		Category *string  `json:"item_category,omitempty" enum:"furniture,loose_items,wardrobe,mattress,already_boxed" doc:"Default furniture."`
		Packing  *string  `json:"packing_requirement,omitempty" enum:"none,small_box,medium_box,large_box,wardrobe_box,mattress_cover" doc:"Default none."`
		Notes    *string  `json:"notes,omitempty" maxLength:"300"`
	}
}

func (in *addItemInput) item() (Item, []fault.Field) {
	b := &in.Body
	item := Item{
		Name: line(b.Name), Qty: 1, Length: convert(b.LengthCm, millimetres),
		Width: convert(b.WidthCm, millimetres), Height: convert(b.HeightCm, millimetres),
		Volume: convert(b.VolumeM3, volumeOf), Weight: convert(b.WeightKg, weightOf), Fragile: b.Fragile,
		Category: string(vision.CategoryFurniture), Packing: string(vision.PackingNone),
		Notes: trimmed(b.Notes),
	}
	if b.Qty != nil {
		item.Qty = *b.Qty
	}
	if b.Category != nil {
		item.Category = *b.Category
	}
	if b.Packing != nil {
		item.Packing = *b.Packing
	}
	if item.Name == "" {
		return item, []fault.Field{fault.Body("#/name", fault.FieldTooShort, "Use at least one visible character.")}
	}
	return item, nil
}

type patchItemInput struct {
	IDPath
	Precondition
	Body struct {
		Name     optional[string]  `json:"name" required:"false" nullable:"false" minLength:"1" maxLength:"120" example:"3-seat sofa"`
		Qty      optional[int64]   `json:"qty" required:"false" nullable:"false" minimum:"1" maximum:"200" example:"2"`
		LengthCm optional[float64] `json:"length_cm" required:"false" minimum:"1" maximum:"1000" example:"210"`
		WidthCm  optional[float64] `json:"width_cm" required:"false" minimum:"1" maximum:"1000" example:"92"`
		HeightCm optional[float64] `json:"height_cm" required:"false" minimum:"1" maximum:"1000" example:"85"`
		VolumeM3 optional[float64] `json:"volume_m3" required:"false" exclusiveMinimum:"0" maximum:"20" example:"1.53" doc:"Sent without sides it replaces them; sides that are all known win."`
		WeightKg optional[float64] `json:"weight_kg" required:"false" minimum:"0" maximum:"2000" example:"48"`
		Fragile  optional[bool]    `json:"fragile" required:"false" nullable:"false"`
		Category optional[string]  `json:"item_category" required:"false" nullable:"false" enum:"furniture,loose_items,wardrobe,mattress,already_boxed"`
		Packing  optional[string]  `json:"packing_requirement" required:"false" nullable:"false" enum:"none,small_box,medium_box,large_box,wardrobe_box,mattress_cover"`
		Notes    optional[string]  `json:"notes" required:"false" maxLength:"300"`
	}
}

func (in *patchItemInput) empty() bool {
	b := &in.Body
	sent := b.Name.sent || b.Qty.sent || b.LengthCm.sent || b.WidthCm.sent || b.HeightCm.sent ||
		b.VolumeM3.sent || b.WeightKg.sent || b.Fragile.sent || b.Category.sent || b.Packing.sent || b.Notes.sent
	return !sent
}

func (in *patchItemInput) apply(i *Item) []fault.Field {
	b := &in.Body
	var faults []fault.Field
	applyName(b.Name, &i.Name, "#/name", &faults)
	b.Qty.apply(&i.Qty, "#/qty", &faults)
	if b.VolumeM3.sent && !b.LengthCm.sent && !b.WidthCm.sent && !b.HeightCm.sent {
		// The old sides say nothing about a volume that was measured in another way.
		i.Length, i.Width, i.Height = nil, nil, nil
	}
	applyMeasure(b.LengthCm, &i.Length, millimetres)
	applyMeasure(b.WidthCm, &i.Width, millimetres)
	applyMeasure(b.HeightCm, &i.Height, millimetres)
	applyMeasure(b.VolumeM3, &i.Volume, volumeOf)
	applyMeasure(b.WeightKg, &i.Weight, weightOf)
	if b.LengthCm.sent || b.WidthCm.sent || b.HeightCm.sent || b.VolumeM3.sent || b.Name.sent {
		i.VariantID = nil // no longer the catalogue's entry
	}
	b.Fragile.apply(&i.Fragile, "#/fragile", &faults)
	b.Category.apply(&i.Category, "#/item_category", &faults)
	b.Packing.apply(&i.Packing, "#/packing_requirement", &faults)
	applyLine(b.Notes, &i.Notes)
	return faults
}

func applyMeasure(o optional[float64], dest **int64, unit func(float64) int64) {
	switch {
	case o.null:
		*dest = nil
	case o.sent:
		*dest = new(unit(o.value))
	}
}

type variantInput struct {
	IDPath
	Precondition
	Body struct {
		VariantID string `json:"variant_id" minLength:"1" maxLength:"100" example:"sofa_3_seat" doc:"An id of /v1/variants."`
	}
}

func (s *Service) itemEntity(ctx context.Context, at Survey, item Item) (*entity[itemJSON], error) {
	bulky, err := s.bulkyOver(ctx, at.CompanyID)
	if err != nil {
		return nil, err
	}
	return &entity[itemJSON]{etag(item.Version), newItemJSON(item, bulky)}, nil
}

func (s *Service) registerItems(api huma.API) {
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "add-item", Method: http.MethodPost, Path: "/v1/survey/rooms/{id}/items",
		Summary: "Add an item", Description: "For what no photo shows. A room has at most 300 rows.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *addItemInput) (*created[itemJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		item, faults := in.item()
		if err := invalidIf(faults); err != nil {
			return nil, err
		}
		if item, err = s.AddItem(ctx, at, in.ID, item); err != nil {
			return nil, err
		}
		answer, err := s.itemEntity(ctx, at, item)
		if err != nil {
			return nil, err
		}
		return &created[itemJSON]{"/v1/survey/items/" + item.ID, answer.ETag, answer.Body}, nil
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "get-item", Method: http.MethodGet, Path: "/v1/survey/items/{id}",
		Summary: "Read an item", Description: "Figures are for one piece.", Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *IDPath) (*entity[itemJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		item, err := s.Item(ctx, at, in.ID)
		if err != nil {
			return nil, err
		}
		return s.itemEntity(ctx, at, item)
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "update-item", Method: http.MethodPatch, Path: "/v1/survey/items/{id}",
		Summary: "Change an item",
		Description: "Merge patch (RFC 7396). The volume follows from the three sides when all are known. From then on no analysis " +
			"changes the item.",
		Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *patchItemInput) (*entity[itemJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		match, err := ParseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		var item Item
		if in.empty() {
			item, err = s.Item(ctx, at, in.ID)
		} else {
			item, err = s.UpdateItem(ctx, at, in.ID, match, in.apply)
		}
		if err != nil {
			return nil, err
		}
		return s.itemEntity(ctx, at, item)
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "delete-item", Method: http.MethodDelete, Path: "/v1/survey/items/{id}",
		Summary: "Delete an item", Description: "A later analysis may find it again.",
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
		return nil, s.DeleteItem(ctx, at, in.ID, match)
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "choose-variant", Method: http.MethodPut, Path: "/v1/survey/items/{id}/variant",
		Summary:     "Choose a usual size",
		Description: "Sets name, sides, weight and volume to those of a catalogue entry.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity},
	}), func(ctx context.Context, in *variantInput) (*entity[itemJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		match, err := ParseIfMatch(in.IfMatch)
		if err != nil {
			return nil, err
		}
		item, err := s.ChooseVariant(ctx, at, in.ID, match, in.Body.VariantID)
		if err != nil {
			return nil, err
		}
		return s.itemEntity(ctx, at, item)
	})
}
