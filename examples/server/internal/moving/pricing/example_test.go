package pricing_test

import (
	"fmt"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
)

func ExampleCompute() {
	survey := pricing.Survey{Rooms: []pricing.Room{{
		Name: "Living room",
		Items: []pricing.Item{
			{Qty: 1, Volume: 15_300, Weight: 35_000},                 // sofa, 1.53 m³, 35 kg
			{Qty: 1, Volume: 800, Weight: 15_000, Fragile: true},     // television
			{Qty: 2, Volume: 4_300, Weight: 30_000, Packing: "none"}, // bookcases
		},
	}}}
	quote := pricing.Compute(pricing.Default(), survey)
	fmt.Println("volume line:", quote.Lines.Volume)
	fmt.Println("range:", quote.Low/100, "to", quote.High/100, "pounds,", quote.Confidence)
	// Output:
	// volume line: 8645
	// range: 318 to 425 pounds, low
}
