package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

type quote struct {
	Low        int64            `json:"low_pence"`
	High       int64            `json:"high_pence"`
	Total      int64            `json:"total_pence"`
	Lines      map[string]int64 `json:"lines"`
	Confidence string           `json:"confidence"`
	Items      int64            `json:"items"`
	VolumeM3   float64          `json:"volume_m3"`
	WeightKg   float64          `json:"weight_kg"`
	Miles      float64          `json:"distance_miles"`
}

func printQuote(c client, out io.Writer, token string) error {
	var q quote
	if err := c.call("GET", "/v1/survey/quote", token, nil, &q); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d items, %.2f m3, %.0f kg, %.1f miles, confidence %s\n\n", q.Items, q.VolumeM3, q.WeightKg, q.Miles, q.Confidence)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, line := range []string{"base", "volume", "bulky", "fragile", "weight", "distance", "access", "packing", "service"} {
		fmt.Fprintf(table, "%s\t%s\t\n", line, pounds(q.Lines[line+"_pence"]))
	}
	fmt.Fprintf(table, "total\t%s\t\n", pounds(q.Total))
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nThe customer sees %s to %s.\n", pounds(q.Low), pounds(q.High))
	return nil
}

// closeDeal hands the survey in, approves it at the middle of the range, and accepts.
func closeDeal(c client, out io.Writer, staff, customer, job string) error {
	var move struct {
		Status     string `json:"status"`
		FinalPrice int64  `json:"final_price_pence"`
	}
	if err := c.call("POST", "/v1/survey/submit", customer, map[string]any{}, &move); err != nil {
		return err
	}
	fmt.Fprintf(out, "Submitted:  %s\n", move.Status)
	if err := c.call("POST", "/v1/jobs/"+job+"/approve", staff, map[string]any{"midpoint": true}, &move); err != nil {
		return err
	}
	fmt.Fprintf(out, "Approved:   %s at %s\n", move.Status, pounds(move.FinalPrice))
	err := c.call("POST", "/v1/survey/accept", customer, map[string]any{"confirm": true, "price_pence": move.FinalPrice}, &move)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Accepted:   %s\n", move.Status)
	return nil
}

func pounds(pence int64) string { return fmt.Sprintf("GBP %d.%02d", pence/100, pence%100) }
