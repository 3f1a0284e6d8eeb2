package vision

import (
	"encoding/json"
	"strings"
)

// SchemaVersion names the form of the answer that [Schema] describes. It changes whenever a stored
// answer of the old form would be read differently.
const SchemaVersion = "inventory-1"

// schemaName is the name of the schema in a request.
const schemaName = "moving_inventory"

// answerSchema is written by hand because OpenAI's strict mode takes only a small part of JSON
// Schema: every property is required, every object is closed, optional values are unions with
// null, and ranges are left to the validation here.
const answerSchema = `{
  "type": "object",
  "additionalProperties": false,
  "required": ["summary", "items"],
  "properties": {
    "summary": {"type": "string", "description": "one short sentence about the room"},
    "items": {
      "type": "array",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "qty", "length_cm", "width_cm", "height_cm", "weight_kg", "volume_m3",
          "bulky", "fragile", "item_category", "packing_requirement", "variant_group", "confidence",
          "photo_indexes", "notes"],
        "properties": {
          "name": {"type": "string", "description": "specific name in the singular"},
          "qty": {"type": "integer", "description": "pieces, 1 to 200; boxes for loose goods"},
          "length_cm": {"type": ["number", "null"], "description": "longest horizontal side"},
          "width_cm": {"type": ["number", "null"], "description": "depth"},
          "height_cm": {"type": ["number", "null"]},
          "weight_kg": {"type": ["number", "null"], "description": "one piece"},
          "volume_m3": {"type": ["number", "null"], "description": "one piece"},
          "bulky": {"type": "boolean", "description": "one piece weighs over 50 kg"},
          "fragile": {"type": "boolean"},
          "item_category": {"type": "string", "enum": [CATEGORIES]},
          "packing_requirement": {"type": "string", "enum": [PACKINGS]},
          "variant_group": {"type": ["string", "null"], "enum": [GROUPS, null]},
          "confidence": {"type": "number", "description": "0 to 1"},
          "photo_indexes": {"type": "array", "items": {"type": "integer"},
            "description": "numbers of the photos that show it"},
          "notes": {"type": "string", "description": "empty when there is nothing to say"}
        }
      }
    }
  }
}`

// Schema returns the JSON Schema that answers must follow. It stays inside the subset that OpenAI
// accepts with strict set to true.
func Schema() json.RawMessage {
	var groups []string
	for _, g := range variantTable() {
		groups = append(groups, g.Key)
	}
	return json.RawMessage(strings.NewReplacer(
		"CATEGORIES", quotedList(Categories()),
		"PACKINGS", quotedList(Packings()),
		"GROUPS", quotedList(groups),
	).Replace(answerSchema))
}

// quotedList writes values as the inside of a JSON array. They are identifiers of this package,
// so there is nothing to escape.
func quotedList[T ~string](values []T) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(`"` + string(v) + `"`)
	}
	return b.String()
}
