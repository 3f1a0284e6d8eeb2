package moving

import (
	"fmt"
	"strings"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
)

func lower(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// previewJSON is a survey to be priced.
type previewJSON struct {
	Config *priceListBody    `json:"config,omitempty" doc:"A price list to try; the company's when absent."`
	Survey previewSurveyJSON `json:"survey"`
}

type previewSurveyJSON struct {
	Rooms                   []previewRoomJSON `json:"rooms" nullable:"false" maxItems:"40"`
	Pickup                  *previewPointJSON `json:"pickup,omitempty"`
	Dropoff                 *previewPointJSON `json:"dropoff,omitempty"`
	PickupAccess            *Access           `json:"pickup_access,omitempty"`
	DropoffAccess           *Access           `json:"dropoff_access,omitempty"`
	CustomerProvidesPacking bool              `json:"customer_provides_packing" required:"false"`
}

type previewPointJSON struct {
	Lat float64 `json:"lat" minimum:"-90" maximum:"90" example:"51.5074"`
	Lng float64 `json:"lng" minimum:"-180" maximum:"180" example:"-0.1278"`
}

type previewRoomJSON struct {
	Name          string            `json:"name" minLength:"1" maxLength:"100" example:"Kitchen"`
	PackRequested bool              `json:"pack_requested" required:"false"`
	Items         []previewItemJSON `json:"items" nullable:"false" maxItems:"300"`
}

type previewItemJSON struct {
	Qty      int64    `json:"qty" minimum:"1" maximum:"200" example:"1"`
	Length   *float64 `json:"length_cm,omitempty" minimum:"1" maximum:"1000"`
	Width    *float64 `json:"width_cm,omitempty" minimum:"1" maximum:"1000"`
	Height   *float64 `json:"height_cm,omitempty" minimum:"1" maximum:"1000"`
	VolumeM3 *float64 `json:"volume_m3,omitempty" exclusiveMinimum:"0" maximum:"20" example:"1.53" doc:"Used unless all three sides are given."`
	WeightKg *float64 `json:"weight_kg,omitempty" minimum:"0" maximum:"2000" example:"35"`
	Fragile  bool     `json:"fragile" required:"false"`
	Packing  *string  `json:"packing_requirement,omitempty" enum:"none,small_box,medium_box,large_box,wardrobe_box,mattress_cover" example:"none"`
}

func (p *previewPointJSON) point() *pricing.Point {
	if p == nil {
		return nil
	}
	return &pricing.Point{Lat: p.Lat, Lng: p.Lng}
}

func (p previewSurveyJSON) pricing() (pricing.Survey, []fault.Field) {
	var faults []fault.Field
	survey := pricing.Survey{
		Pickup: p.Pickup.point(), Dropoff: p.Dropoff.point(),
		PickupAccess: p.PickupAccess.pricing(), DropoffAccess: p.DropoffAccess.pricing(),
		CustomerProvidesPacking: p.CustomerProvidesPacking,
	}
	for r, room := range p.Rooms {
		priced := pricing.Room{Name: line(room.Name), Pack: room.PackRequested}
		if priced.Name == "" {
			faults = append(faults, fault.Body(fmt.Sprintf("#/survey/rooms/%d/name", r), fault.FieldTooShort, "Use at least one visible character."))
		}
		for _, i := range room.Items {
			item := Item{
				Length: convert(i.Length, millimetres), Width: convert(i.Width, millimetres),
				Height: convert(i.Height, millimetres), Volume: convert(i.VolumeM3, volumeOf),
			}
			item.resize()
			row := pricing.Item{Qty: i.Qty, Fragile: i.Fragile}
			if item.Volume != nil {
				row.Volume = *item.Volume
			}
			if i.WeightKg != nil {
				row.Weight = weightOf(*i.WeightKg)
			}
			if i.Packing != nil {
				row.Packing = pricing.Packing(*i.Packing)
			}
			priced.Items = append(priced.Items, row)
		}
		survey.Rooms = append(survey.Rooms, priced)
	}
	return survey, faults
}
