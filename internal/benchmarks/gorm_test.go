package main

import (
	"testing"
	"time"

	"github.com/pilagod/gorm-cursor-paginator/v2/cursor"
	"github.com/pilagod/gorm-cursor-paginator/v2/paginator"
)

// gormPosition has the fields of BenchmarkCursor in package pagination.
type gormPosition struct {
	CreatedAt time.Time
	ID        string
}

var (
	gormAt = gormPosition{time.UnixMicro(1_700_000_000_000_000).UTC(), "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"}
	encode = []cursor.EncoderField{{Key: "CreatedAt"}, {Key: "ID"}}
	decode = []cursor.DecoderField{{Key: "CreatedAt"}, {Key: "ID"}}
)

func TestGormCursor(t *testing.T) {
	codec := &paginator.JSONCursorCodec{}
	token := must(codec.Encode(encode, &gormAt))
	fields := must(codec.Decode(decode, token, &gormPosition{}))
	if len(fields) != 2 || fields[0] != gormAt.CreatedAt || fields[1] != gormAt.ID {
		t.Fatalf("got %v", fields)
	}
}

func BenchmarkGormCursor(b *testing.B) {
	codec := &paginator.JSONCursorCodec{}
	token := must(codec.Encode(encode, &gormAt))
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(codec.Encode(encode, &gormAt))
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(codec.Decode(decode, token, &gormPosition{}))
		}
	})
}
