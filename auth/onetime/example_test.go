package onetime_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/groundwork-go/groundwork/auth/onetime"
)

func Example() {
	ctx := context.Background()
	tokens, err := onetime.New(onetime.Config{Store: onetime.NewMemoryStore()})
	if err != nil {
		panic(err)
	}
	token, err := tokens.Issue(ctx, onetime.Issue{Purpose: "reset_password", Subject: "user-1", TTL: time.Hour})
	if err != nil {
		panic(err)
	}
	_, err = tokens.Consume(ctx, "verify_email", token)
	fmt.Println("wrong purpose:", err)
	used, err := tokens.Consume(ctx, "reset_password", token)
	fmt.Println("first use:", used.Subject, err)
	_, err = tokens.Consume(ctx, "reset_password", token)
	fmt.Println("second use:", err)
	// Output:
	// wrong purpose: onetime: invalid token
	// first use: user-1 <nil>
	// second use: onetime: invalid token
}

// A request for a reset link is answered the same way whether the address is known or not, and at
// once: the look-up and the mail are the work of a job.
func ExampleTokens_Issue() {
	tokens, err := onetime.New(onetime.Config{Store: onetime.NewMemoryStore()})
	if err != nil {
		panic(err)
	}
	users := map[string]string{"ann@example.com": "user-1"}
	jobs := make(chan string, 10)
	forgot := func(w http.ResponseWriter, r *http.Request) {
		select {
		case jobs <- r.FormValue("email"):
			w.WriteHeader(http.StatusAccepted)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		w := httptest.NewRecorder()
		forgot(w, httptest.NewRequest(http.MethodPost, "/forgot?email="+url.QueryEscape(email), nil))
		fmt.Println(w.Code)
	}
	close(jobs)

	for email := range jobs { // in the background
		id, known := users[email]
		if !known {
			continue
		}
		token, err := tokens.Issue(context.Background(), onetime.Issue{
			Purpose: "reset_password", Subject: id, TTL: time.Hour,
		})
		if err != nil {
			panic(err)
		}
		link := "https://app.example.com/reset#token=" + token
		fmt.Println("mail to", email, len(link) > 40)
	}
	// Output:
	// 202
	// 202
	// mail to ann@example.com true
}
