package vision_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/groundwork-go/groundwork/vision"
	"github.com/groundwork-go/groundwork/vision/visionsim"
)

func ExampleNew() {
	analyzer, err := vision.New(vision.Config{
		// For a real model: APIKey: os.Getenv("OPENAI_API_KEY"), and neither of these two.
		BaseURL:    visionsim.BaseURL,
		HTTPClient: visionsim.Client(visionsim.Config{}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := os.ReadFile("testdata/photos/room-living.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := analyzer.Analyze(context.Background(), vision.Request{
		Photos: []vision.Photo{{ID: "p1", Room: "Living room", Data: file}},
		Known:  []string{"Piano"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	sofa := result.Items()[0]
	fmt.Println(sofa.Quantity, sofa.Variant, sofa.Category, *sofa.VolumeM3 > 1, sofa.PhotoIDs)
	// Output: 1 sofa furniture true [p1]
}

// A failed analysis still has a result: what was found, what became of each photo and what it cost.
func ExampleAnalyzer_failure() {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer provider.Close()
	analyzer, err := vision.New(vision.Config{BaseURL: provider.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := os.ReadFile("testdata/photos/room-study.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := analyzer.Analyze(context.Background(), vision.Request{
		Photos: []vision.Photo{{ID: "p1", Room: "Study", Data: file}},
	})
	var detail *vision.ModelError
	if errors.As(err, &detail) && errors.Is(err, vision.ErrRateLimited) {
		fmt.Println("come back in", detail.RetryAfter)
	}
	fmt.Println(result.Photos[0].Status, result.Usage.Requests, result.Complete)
	// Output:
	// come back in 1h0m0s
	// failed 1 false
}

// An analyzer with a fixed answer is enough for the tests of a program around it.
func ExampleNewStatic() {
	analyzer := vision.NewStatic(vision.Item{Name: "Piano", Quantity: 1, Fragile: true})
	result, err := analyzer.Analyze(context.Background(), vision.Request{
		Photos: []vision.Photo{{ID: "p1", Room: "Hall"}},
	})
	fmt.Println(result.Items()[0].Name, result.Items()[0].PhotoIDs, err)
	// Output: Piano [p1] <nil>
}

func ExampleMatchVariant() {
	for _, name := range []string{"grey 3-seater sofa", "bedside table"} {
		group, ok := vision.MatchVariant(name)
		fmt.Println(name, "->", group.Key, ok)
	}
	choice, _ := vision.VariantByID("sofa_3_seat")
	fmt.Println(choice.Name, choice.WeightKG, choice.VolumeM3())
	// Output:
	// grey 3-seater sofa -> sofa true
	// bedside table ->  false
	// 3-seat sofa 48 1.6422
}
