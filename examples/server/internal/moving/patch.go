package moving

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
)

// optional is a member of a merge patch (RFC 7396): absent, null or a value.
type optional[T any] struct {
	sent  bool
	null  bool
	value T
}

// UnmarshalJSON implements json.Unmarshaler; it runs for members that are present only.
func (o *optional[T]) UnmarshalJSON(data []byte) error {
	o.sent = true
	if string(data) == "null" {
		o.null = true
		return nil
	}
	if err := json.Unmarshal(data, &o.value); err != nil {
		return fmt.Errorf("moving: decode patch: %w", err)
	}
	return nil
}

// Schema implements huma.SchemaProvider with the schema of the value, which may be null.
func (o optional[T]) Schema(r huma.Registry) *huma.Schema { return nullable[T](r) }

// nullable returns the schema of T or null, written in place: a reference cannot be nullable.
func nullable[T any](r huma.Registry) *huma.Schema {
	schema := *r.Schema(reflect.TypeFor[T](), false, "")
	schema.Nullable = true
	return &schema
}

// apply sets *dest to a value that was sent; null is a fault.
func (o optional[T]) apply(dest *T, pointer string, faults *[]fault.Field) {
	switch {
	case o.null:
		*faults = append(*faults, fault.Body(pointer, fault.FieldNotNullable, "This field cannot be null."))
	case o.sent:
		*dest = o.value
	}
}

// applyNullable sets *dest to a value that was sent, or to nil.
func (o optional[T]) applyNullable(dest **T) {
	switch {
	case o.null:
		*dest = nil
	case o.sent:
		*dest = new(o.value)
	}
}

// applyLine is applyNullable for a line of text; one without content counts as null.
func applyLine(o optional[string], dest **string) {
	if o.sent {
		*dest = nil
		if !o.null {
			*dest = trimmed(&o.value)
		}
	}
}

// applyName sets *dest to a line of text that must not be empty.
func applyName(o optional[string], dest *string, pointer string, faults *[]fault.Field) {
	o.value = line(o.value)
	if o.sent && !o.null && o.value == "" {
		*faults = append(*faults, fault.Body(pointer, fault.FieldTooShort, "Use at least one visible character."))
		return
	}
	o.apply(dest, pointer, faults)
}
