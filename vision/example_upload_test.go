package vision_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/groundwork-go/groundwork/vision"
)

// A phone stores the picture lying on its side and says so in its EXIF data, together with where and
// when it was taken. What comes out is upright, small and says nothing.
func ExamplePrepare() {
	upload, err := os.ReadFile("testdata/photos/orientation-6.jpg")
	if err != nil {
		panic(err)
	}
	photo, err := vision.Prepare(context.Background(), upload, vision.PrepareOptions{
		LongSide: 1024,
		Quality:  80,
	})
	if err != nil {
		panic(err)
	}
	src := photo.Source
	fmt.Printf("%s %d x %d, orientation %d\n", src.Format.Name(), src.Width, src.Height, src.Orientation)
	fmt.Printf("%d x %d, smaller: %t\n", photo.Width, photo.Height, len(photo.Data) < len(upload))
	// Output:
	// JPEG 1200 x 1800, orientation 6
	// 1024 x 683, smaller: true
}

// A refusal has a sentinel to branch on and a reason to show.
func ExamplePrepare_refused() {
	upload, err := os.ReadFile("testdata/photos/hostile/heic-brand-only.heic")
	if err != nil {
		panic(err)
	}
	_, err = vision.Prepare(context.Background(), upload, vision.PrepareOptions{})
	var refusal *vision.UploadError
	if errors.Is(err, vision.ErrUnsupportedFormat) && errors.As(err, &refusal) {
		fmt.Println(refusal.Format)
		fmt.Println(refusal.Reason)
	}
	// Output:
	// heic
	// HEIC is not supported; send JPEG, PNG or WebP
}

// Inspect answers before an upload is stored or queued; it decodes no pixel.
func ExampleInspect() {
	bomb, err := os.ReadFile("testdata/photos/hostile/bomb-1bit-40000x40000.png")
	if err != nil {
		panic(err)
	}
	_, err = vision.Inspect(bomb, vision.Limits{})
	fmt.Println(err)
	// Output:
	// vision: picture dimensions out of range: 40000 x 40000, no side may exceed 12000 pixels
}

// With a scanner every upload is scanned before anything parses it, and refused when the scanner
// gives no verdict.
func ExampleNewClamAV() {
	scanner, err := vision.NewClamAV(vision.ClamAVConfig{Address: "/run/clamav/none.sock"})
	if err != nil {
		panic(err)
	}
	_, err = vision.Prepare(context.Background(), []byte("any upload"), vision.PrepareOptions{Scanner: scanner})
	fmt.Println(errors.Is(err, vision.ErrNotScanned))
	// Output: true
}
