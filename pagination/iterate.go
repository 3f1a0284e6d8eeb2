package pagination

import (
	"context"
	"iter"
)

// All iterates over every item of a list, fetching page after page as the caller goes on. Next
// gets the cursor to read from, first the empty one. The iteration ends after the page without a
// next cursor, or after the first error, which comes as the last pair with a zero item; a source
// that repeats a cursor ends it with [ErrLoop]. Breaking off fetches nothing more.
//
// The sequence sees rows as they are when their page is fetched: see "Changes during a walk".
func All[T any](
	ctx context.Context, next func(ctx context.Context, cursor string) (Page[T], error),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		cursor := ""
		for {
			if err := ctx.Err(); err != nil {
				yield(zero, err)
				return
			}
			page, err := next(ctx, cursor)
			if err != nil {
				yield(zero, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			if page.NextCursor == cursor {
				yield(zero, ErrLoop)
				return
			}
			cursor = page.NextCursor
		}
	}
}
