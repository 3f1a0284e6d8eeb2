package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"
	"strings"
)

// A tree is a JSON document in memory: map[string]any, []any, string, bool, nil and json.Number.
// Numbers keep their text, so that no digit of a large one is lost.

// toTree turns any value into a tree that shares nothing with it.
func toTree(v any) (tree any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %w", ErrUnencodable, &PanicError{In: "value", Value: p, Stack: debug.Stack()})
		}
	}()
	text, err := json.Marshal(v)
	if err != nil {
		// The text of a marshalling error may quote the value.
		return nil, fmt.Errorf("%w: %T", ErrUnencodable, v)
	}
	return parseTree(text)
}

func parseTree(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("%w: not JSON", ErrUnencodable)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one JSON value", ErrUnencodable)
	}
	return tree, nil
}

// encode writes a tree. Keys are sorted, so equal trees have equal texts.
func encode(tree any) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(tree) != nil {
		return json.RawMessage(`null`) // a tree always has a JSON form
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// equalTrees compares by value: 1, 1.0 and 1e0 are one number.
func equalTrees(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, x := range a {
			y, there := b[k]
			if !there || !equalTrees(x, y) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equalTrees(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || decimalOf(a) == decimalOf(b))
	default:
		return a == b
	}
}

// decimal is a number as digits times ten to the power of exp, without leading or trailing zeros
// in the digits. Equal numbers have equal decimals; no arithmetic of unbounded cost is done.
type decimal struct {
	negative bool
	digits   string
	exp      int64
}

func decimalOf(n json.Number) decimal {
	text := string(n)
	d := decimal{negative: strings.HasPrefix(text, "-")}
	text = strings.TrimPrefix(text, "-")
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exp, err := strconv.ParseInt(text[i+1:], 10, 62)
		if err != nil {
			return decimal{digits: string(n)} // beyond any use: equal only to its own text
		}
		d.exp, text = exp, text[:i]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	d.digits = strings.TrimRight(digits, "0")
	if d.digits == "" {
		return decimal{}
	}
	d.exp += int64(len(digits)-len(d.digits)) - int64(len(fraction))
	return d
}

// escapeKey and unescapeKey convert one step of a JSON pointer.
func escapeKey(key string) string {
	if !strings.ContainsAny(key, "~/") {
		return key
	}
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func unescapeKey(step string) string {
	return strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
}
