package moving

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/vision"
)

// QuoteJSON is a quote.
type QuoteJSON struct {
	Currency      string        `json:"currency" enum:"GBP"`
	LowPence      int64         `json:"low_pence" example:"133400" doc:"Whole pounds."`
	HighPence     int64         `json:"high_pence" example:"177900" doc:"Whole pounds."`
	MidpointPence int64         `json:"midpoint_pence" example:"155600" doc:"Whole pounds."`
	TotalPence    int64         `json:"total_pence" example:"148310" doc:"The sum of the nine lines."`
	Lines         pricing.Lines `json:"lines"`
	Confidence    string        `json:"confidence" enum:"low,medium,high" doc:"How much the quote rests on."`
	Items         int64         `json:"items" example:"102"`
	BulkyItems    int64         `json:"bulky_items" example:"3"`
	FragileItems  int64         `json:"fragile_items" example:"4"`
	VolumeM3      float64       `json:"volume_m3" example:"12.39"`
	WeightKg      float64       `json:"weight_kg" example:"1055"`
	DistanceMiles float64       `json:"distance_miles" example:"47.3267"`
}

func newQuoteJSON(q pricing.Quote) QuoteJSON {
	return QuoteJSON{
		Currency: "GBP", LowPence: q.Low, HighPence: q.High, MidpointPence: pricing.Midpoint(q.Low, q.High),
		TotalPence: q.Total, Lines: q.Lines, Confidence: string(q.Confidence), Items: q.Items,
		BulkyItems: q.BulkyItems, FragileItems: q.FragileItems, VolumeM3: cubicMetres(q.Volume),
		WeightKg: kilograms(q.Weight), DistanceMiles: float64(q.Distance) / 10_000,
	}
}

type surveyQuoteJSON struct {
	QuoteJSON
	Frozen         bool       `json:"frozen" doc:"The survey was handed in; the quote does not change any more."`
	FinalPrice     *int64     `json:"final_price_pence" example:"155600" doc:"Once the company has approved."`
	QuoteExpiresAt *time.Time `json:"quote_expires_at"`
}

type materialJSON struct {
	Kind       string  `json:"kind" enum:"small_box,medium_box,large_box,extra_small_box,robe_carton,mattress_cover,tape,paper"`
	Count      float64 `json:"count" example:"3" doc:"Paper is counted in packs with decimals."`
	UnitPence  *int64  `json:"unit_pence" example:"105"`
	PricePence *int64  `json:"price_pence" example:"315"`
}

type serviceJSON struct {
	RoomID     string  `json:"room_id" format:"uuid"`
	Room       string  `json:"room" example:"Kitchen"`
	Offered    bool    `json:"offered" doc:"Something in the room goes into boxes."`
	Requested  bool    `json:"requested"`
	Items      int64   `json:"items" example:"33"`
	Hours      float64 `json:"hours" example:"2.2"`
	PricePence *int64  `json:"price_pence" example:"8800"`
}

// packingJSON has no prices in a survey that asks for none.
type packingJSON struct {
	CustomerProvidesPacking bool           `json:"customer_provides_packing"`
	Boxes                   int64          `json:"boxes" example:"9"`
	Materials               []materialJSON `json:"materials" nullable:"false"`
	MaterialsPence          *int64         `json:"materials_pence" example:"4662" doc:"What the material costs, whoever provides it."`
	PackingPence            *int64         `json:"packing_pence" example:"4662" doc:"The packing line of the quote."`
	Services                []serviceJSON  `json:"services" nullable:"false"`
	ServicePence            *int64         `json:"service_pence" example:"10800" doc:"The service line of the quote."`
}

func newPackingJSON(v QuoteView) packingJSON {
	priced := func(pence int64) *int64 {
		if v.Overview.Move.Mode == ModeSurveyOnly {
			return nil
		}
		return &pence
	}
	m := v.Quote.Materials
	packing := packingJSON{
		CustomerProvidesPacking: v.Overview.Move.CustomerProvidesPacking, Boxes: m.Boxes(),
		Materials: []materialJSON{}, Services: []serviceJSON{}, MaterialsPence: priced(m.Price),
		PackingPence: priced(v.Quote.Lines.Packing), ServicePence: priced(v.Quote.Lines.Service),
	}
	for _, material := range []struct {
		kind string
		pricing.Material
		scale float64
	}{
		{"small_box", m.SmallBox, 1},
		{"medium_box", m.MediumBox, 1},
		{"large_box", m.LargeBox, 1},
		{"extra_small_box", m.ExtraSmallBox, 1},
		{"robe_carton", m.RobeCarton, 1},
		{"mattress_cover", m.MattressCover, 1},
		{"tape", m.Tape, 1},
		{"paper", m.Paper, 10_000},
	} {
		packing.Materials = append(packing.Materials, materialJSON{
			Kind: material.kind, Count: float64(material.Count) / material.scale,
			UnitPence: priced(material.Unit), PricePence: priced(material.Price),
		})
	}
	for i, service := range v.Quote.Services {
		if i == len(v.Overview.Rooms) {
			break
		}
		packing.Services = append(packing.Services, serviceJSON{
			RoomID: v.Overview.Rooms[i].ID, Room: service.Room, Offered: service.Offered,
			Requested: service.Chosen, Items: service.Items, Hours: float64(service.Hours) / 10,
			PricePence: priced(service.Price),
		})
	}
	return packing
}

func (s *Service) registerQuote(api huma.API) {
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "get-quote", Method: http.MethodGet, Path: "/v1/survey/quote",
		Summary: "Read the quote",
		Description: "Range and nine lines. It moves with the survey until that is handed in. A survey without prices has none: " +
			"404.",
		Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, _ *struct{}) (*plain[surveyQuoteJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		view, err := s.Quote(ctx, at)
		if err != nil {
			return nil, err
		}
		move := view.Overview.Move
		return &plain[surveyQuoteJSON]{surveyQuoteJSON{
			newQuoteJSON(view.Quote), view.Frozen, move.FinalPrice, move.QuoteExpiresAt,
		}}, nil
	})
	rest.Register(api, s.customerOnly(huma.Operation{
		OperationID: "get-packing", Method: http.MethodGet, Path: "/v1/survey/packing",
		Summary:     "Read the packing list",
		Description: "Boxes and material for the items, and the packing service each room could have.",
	}), func(ctx context.Context, _ *struct{}) (*plain[packingJSON], error) {
		at, err := opened(ctx)
		if err != nil {
			return nil, err
		}
		view, err := s.Packing(ctx, at)
		if err != nil {
			return nil, err
		}
		return &plain[packingJSON]{newPackingJSON(view)}, nil
	})
}

type variantGroupJSON struct {
	Group    string        `json:"group" example:"sofa"`
	Keywords []string      `json:"keywords" nullable:"false" doc:"Words in a name that lead to the group."`
	Variants []variantJSON `json:"variants" nullable:"false"`
}

type variantJSON struct {
	ID       string  `json:"id" example:"sofa_3_seat"`
	Label    string  `json:"label" example:"3-seat"`
	Name     string  `json:"name" example:"3-seat sofa"`
	LengthCm int     `json:"length_cm" example:"210"`
	WidthCm  int     `json:"width_cm" example:"92"`
	HeightCm int     `json:"height_cm" example:"85"`
	VolumeM3 float64 `json:"volume_m3" example:"1.6422"`
	WeightKg int     `json:"weight_kg" example:"48"`
}

func (s *Service) registerVariants(api huma.API) {
	rest.Register(api, huma.Operation{
		OperationID: "list-variants", Method: http.MethodGet, Path: "/v1/variants", Tags: []string{tagSurvey},
		Summary: "List the usual sizes", Description: "The catalogue customers choose from. Public.",
		Parameters:         rest.ListParameters(s.variantList),
		SkipValidateParams: true, // the list parses them itself
		Errors:             []int{http.StatusUnprocessableEntity},
	}, func(_ context.Context, in *struct{ rest.Request }) (*plain[pagination.Page[variantGroupJSON]], error) {
		query, err := s.variantList.Parse(in.Query())
		if err != nil {
			return nil, err
		}
		var groups []variantGroupJSON
		for _, group := range vision.Variants() {
			v := variantGroupJSON{Group: group.Key, Keywords: group.Keywords}
			for _, one := range group.Variants {
				v.Variants = append(v.Variants, variantJSON{
					one.ID, one.Label, one.Name, one.LengthCM, one.WidthCM, one.HeightCM, one.VolumeM3(), one.WeightKG,
				})
			}
			groups = append(groups, v)
		}
		page, err := pagination.Slice(groups, query)
		return &plain[pagination.Page[variantGroupJSON]]{page}, err
	})
}
