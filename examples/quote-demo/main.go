// Quote-demo walks a running reference server through a whole move: sign-up, survey, photos,
// analysis, quote, approval and acceptance. From the root of the repository:
//
//	go run ./examples/server        # in one terminal
//	go run ./examples/quote-demo    # in another
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// room is what the customer of the demo photographs.
type room struct {
	name   string
	photos []string
}

func rooms() []room {
	return []room{
		{"Living room", []string{"room-living.jpg", "room-living-cmyk.jpg"}},
		{"Study", []string{"room-study.jpg", "room-study-16bit.png"}},
		{"Dining room", []string{"hall-many-tables.jpg"}},
		{"Storage", []string{"shelf-1-jpeg-named.png", "shelf-2-jpeg-named.png"}},
	}
}

func main() {
	url := flag.String("url", "http://127.0.0.1:8080", "address of the server")
	photos := flag.String("photos", "vision/testdata/photos", "folder with the photos")
	flag.Parse()
	if err := run(os.Stdout, *url, *photos); err != nil {
		fmt.Fprintln(os.Stderr, "quote-demo:", err)
		os.Exit(1)
	}
}

type session struct {
	AccessToken string `json:"access_token"`
}

const password = "Quick-brown-fox-7"

// signIn founds the demo company. When an earlier run has founded it, it logs in, and when its
// address was never confirmed, which a demo cannot do, it founds another one.
func signIn(c client, out io.Writer) (session, error) {
	s, err := signUp(c, out, "bright-removals")
	if !isCode(err, "email_taken", "slug_taken") {
		return s, err
	}
	fmt.Fprintln(out, "The company exists, logging in.")
	err = c.call("POST", "/v1/auth/login", "", map[string]any{"login": address("bright-removals"), "password": password}, &s)
	for n := 2; n < 1000 && isCode(err, "email_not_verified", "email_taken", "slug_taken"); n++ {
		if n == 2 {
			fmt.Fprintln(out, "Its e-mail address was never confirmed, founding another company.")
		}
		s, err = signUp(c, out, fmt.Sprintf("bright-removals-%d", n))
	}
	return s, err
}

func signUp(c client, out io.Writer, slug string) (session, error) {
	var s session
	err := c.call("POST", "/v1/auth/signup", "", map[string]any{
		"company_name": "Bright Removals", "slug": slug, "email": address(slug),
		"full_name": "Robin Owner", "password": password, "accept_terms": true,
	}, &s)
	if err == nil {
		fmt.Fprintf(out, "Signed up the company Bright Removals (%s), three free surveys.\n", slug)
	}
	return s, err
}

func address(slug string) string { return "owner@" + slug + ".example" }

func run(out io.Writer, url, folder string) error {
	c := client{base: url}
	staff, err := signIn(c, out)
	if err != nil {
		return err
	}
	var survey struct {
		Token string `json:"survey_token"`
		Job   struct {
			ID string `json:"id"`
		} `json:"job"`
	}
	err = c.call("POST", "/v1/surveys", staff.AccessToken, map[string]any{"mode": "quote", "customer_name": "Alex Customer"}, &survey)
	if isCode(err, "credits_exhausted") {
		return fmt.Errorf("%w\nThe three free surveys are used. Stop the server, delete its data folder and start it again", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Opened a survey; the customer works with its token.")

	customer := survey.Token
	for _, r := range rooms() {
		if err := photograph(c, out, customer, folder, r); err != nil {
			return err
		}
	}
	if err := describeMove(c, customer); err != nil {
		return err
	}
	if err := printInventory(c, out, customer); err != nil {
		return err
	}
	if err := printQuote(c, out, customer); err != nil {
		return err
	}
	return closeDeal(c, out, staff.AccessToken, customer, survey.Job.ID)
}

// photograph adds a room, uploads its photos and follows their analysis.
func photograph(c client, out io.Writer, token, folder string, r room) error {
	var added struct {
		ID string `json:"id"`
	}
	if err := c.call("POST", "/v1/survey/rooms", token, map[string]any{"name": r.name}, &added); err != nil {
		return err
	}
	paths := make([]string, len(r.photos))
	for i, name := range r.photos {
		paths[i] = filepath.Join(folder, name)
	}
	var upload struct {
		Analysis *struct {
			ID string `json:"id"`
		} `json:"analysis"`
	}
	if err := c.upload("/v1/survey/rooms/"+added.ID+"/photos", token, paths, &upload); err != nil {
		return err
	}
	if upload.Analysis == nil {
		return fmt.Errorf("%s: no analysis was started", r.name)
	}
	var last analysis
	err := c.follow("/v1/survey/analyses/"+upload.Analysis.ID+"/events", token, func(a analysis) {
		last = a
		fmt.Fprintf(out, "%-12s %d photos, analysis %-9s %3d %%\n", r.name, a.Photos, a.Status, a.Percent)
	})
	if err != nil {
		return err
	}
	if last.Status != "succeeded" {
		return fmt.Errorf("%s: analysis %s: %s", r.name, last.Status, last.ErrorCode)
	}
	fmt.Fprintf(out, "%-12s %d kinds of items found by %s\n", r.name, last.ItemsFound, last.Model)
	return nil
}

// describeMove says who moves, from where to where, and how to get to the doors.
func describeMove(c client, token string) error {
	err := c.call("PATCH", "/v1/survey", token, map[string]any{
		"contact": map[string]any{"name": "Alex Customer", "email": "alex@customer.example", "phone": "+44 7700 900123"},
		"pickup":  map[string]any{"label": "12 High Street, London", "city": "London", "lat": 51.5074, "lng": -0.1278},
		"dropoff": map[string]any{"label": "3 Sea Road, Brighton", "city": "Brighton", "lat": 50.8225, "lng": -0.1372},
	}, nil)
	if err != nil {
		return err
	}
	err = c.call("PUT", "/v1/survey/access/pickup", token, map[string]any{
		"floors": 2, "has_lift": false, "parking_type": "street", "parking_distance_m": 40,
		"restrictions": []string{"narrow_stairs"}, "outdoor_access": "direct",
	}, nil)
	if err != nil {
		return err
	}
	return c.call("PUT", "/v1/survey/access/dropoff", token, map[string]any{
		"parking_type": "driveway", "outdoor_access": "direct",
	}, nil)
}

func printInventory(c client, out io.Writer, token string) error {
	var page struct {
		Items []struct {
			Name  string `json:"name"`
			Items []struct {
				Name     string   `json:"name"`
				Qty      int      `json:"qty"`
				VolumeM3 *float64 `json:"volume_m3"`
				WeightKg *float64 `json:"weight_kg"`
				Fragile  bool     `json:"fragile"`
				Packing  string   `json:"packing_requirement"`
			} `json:"items"`
		} `json:"items"`
	}
	if err := c.call("GET", "/v1/survey/rooms", token, nil, &page); err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nROOM\tITEM\tQTY\tM3 EACH\tKG EACH\tFRAGILE\tPACKING")
	for _, r := range page.Items {
		for _, item := range r.Items {
			fragile := ""
			if item.Fragile {
				fragile = "yes"
			}
			fmt.Fprintf(table, "%s\t%s\t%d\t%.2f\t%.0f\t%s\t%s\n", r.Name, item.Name, item.Qty,
				value(item.VolumeM3), value(item.WeightKg), fragile, item.Packing)
		}
	}
	return table.Flush()
}

// value reads a figure that may be unknown.
func value(p *float64) float64 {
	if p == nil {
		return 0
	}
	return *p
}
