package rest

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Optional is a member of a merge patch (RFC 7396): absent, null or a value.
type Optional[T any] struct {
	// Sent is true for a member that is present.
	Sent bool
	// Null is true for a member that is null.
	Null bool
	// Value is what was sent.
	Value T
}

// UnmarshalJSON implements json.Unmarshaler; it runs for members that are present only.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	o.Sent = true
	if string(data) == "null" {
		o.Null = true
		return nil
	}
	if err := json.Unmarshal(data, &o.Value); err != nil {
		return fmt.Errorf("rest: decode patch: %w", err)
	}
	return nil
}

// Schema implements huma.SchemaProvider with the schema of the value, which may be null unless the
// field's tag says otherwise.
func (o Optional[T]) Schema(r huma.Registry) *huma.Schema {
	schema := *r.Schema(reflect.TypeFor[T](), false, "")
	schema.Nullable = true
	return &schema
}
