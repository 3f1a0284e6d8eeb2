package rest

import (
	"net/url"
	"time"
)

// WholeDays returns the parameters with "from" and "to" as moments where they are given as dates: whole
// days of the location, both included. The moment of "to" is the first that is not.
func WholeDays(parameters url.Values, in *time.Location) url.Values {
	out := url.Values{}
	for name, values := range parameters {
		out[name] = values
		if len(values) != 1 || name != "from" && name != "to" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, values[0], in)
		if err != nil {
			continue // the list says what is wrong with it
		}
		if name == "to" {
			day = day.AddDate(0, 0, 1)
		}
		out[name] = []string{day.Format(time.RFC3339)}
	}
	return out
}
