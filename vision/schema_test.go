package vision_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

// strictFaults lists where a schema leaves the subset that OpenAI's structured outputs accept in
// strict mode: closed objects with every property required, types and enums, and no keyword beyond
// those every model takes.
func strictFaults(schema any, at string) []string {
	node, ok := schema.(map[string]any)
	if !ok {
		return []string{at + ": not an object"}
	}
	var faults []string
	allowed := []string{"type", "description", "properties", "required", "additionalProperties", "items", "enum"}
	for key := range node {
		if !slices.Contains(allowed, key) {
			faults = append(faults, at+": keyword "+key)
		}
	}
	var types []string
	switch typ := node["type"].(type) {
	case string:
		types = []string{typ}
	case []any:
		for _, v := range typ {
			types = append(types, fmt.Sprint(v))
		}
		if len(types) != 2 || types[1] != "null" {
			faults = append(faults, at+": a union other than with null")
		}
	default:
		faults = append(faults, at+": no type")
	}
	if enum, ok := node["enum"].([]any); ok {
		hasNull := slices.Contains(enum, nil)
		if hasNull != slices.Contains(types, "null") {
			faults = append(faults, at+": enum and type disagree about null")
		}
	}
	if slices.Contains(types, "array") {
		faults = append(faults, strictFaults(node["items"], at+"[]")...)
	}
	if !slices.Contains(types, "object") {
		return faults
	}
	if node["additionalProperties"] != false {
		faults = append(faults, at+": open object")
	}
	props, _ := node["properties"].(map[string]any)
	var names, required []string
	for name, sub := range props {
		names = append(names, name)
		faults = append(faults, strictFaults(sub, at+"."+name)...)
	}
	list, _ := node["required"].([]any)
	for _, name := range list {
		required = append(required, fmt.Sprint(name))
	}
	sort.Strings(names)
	sort.Strings(required)
	if !slices.Equal(names, required) {
		faults = append(faults, at+": required differs from properties")
	}
	return faults
}

func TestSchemaIsStrict(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	require.NoError(t, json.Unmarshal(vision.Schema(), &schema))
	require.Empty(t, strictFaults(schema, "$"))
	require.Equal(t, "object", schema["type"], "the root must be a plain object")
	item := schema["properties"].(map[string]any)["items"].(map[string]any)["items"].(map[string]any)
	props := item["properties"].(map[string]any)
	require.Len(t, props, 15)
	require.Len(t, props["variant_group"].(map[string]any)["enum"], 16, "15 groups and null")
	require.Len(t, props["item_category"].(map[string]any)["enum"], 5)
	require.Len(t, props["packing_requirement"].(map[string]any)["enum"], 6)

	// The check itself must find what strict mode refuses.
	for _, broken := range []struct{ old, new string }{
		{`"additionalProperties": false`, `"additionalProperties": true`},
		{`"required": ["summary", "items"]`, `"required": ["items"]`},
		{`{"type": "boolean"}`, `{"type": "boolean", "nullable": true}`},
		{`{"type": "boolean"}`, `{"type": "boolean", "default": false}`},
		{`"type": ["string", "null"]`, `"type": "string"`},
		{`["number", "null"]`, `["number", "string"]`},
	} {
		text := strings.Replace(string(vision.Schema()), broken.old, broken.new, 1)
		require.NotEqual(t, string(vision.Schema()), text, broken.old)
		var schema any
		require.NoError(t, json.Unmarshal([]byte(text), &schema))
		require.NotEmpty(t, strictFaults(schema, "$"), broken.new)
	}
}

// TestContractRefusesBrokenRequests guards the guard: a contract that lets everything through
// would make every other test of requests worthless.
func TestContractRefusesBrokenRequests(t *testing.T) {
	t.Parallel()
	const good = `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url",` +
		`"image_url":{"url":"data:image/jpeg;base64,AA==","detail":"high"}}]}],"temperature":0.5}`
	require.NoError(t, checkContract("StrictChatCompletionRequest", []byte(good)))
	for _, broken := range []struct{ old, new string }{
		{`"temperature"`, `"temprature"`},
		{`"high"`, `"medium"`},
		{`0.5`, `3`},
		{`"user"`, `"person"`},
		{`"model":"m",`, ``},
	} {
		body := strings.Replace(good, broken.old, broken.new, 1)
		require.Error(t, checkContract("StrictChatCompletionRequest", []byte(body)), body)
	}
	require.NoError(t, checkContract("ErrorResponse", []byte(apiError("x", "y"))))
}
