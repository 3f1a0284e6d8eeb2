package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
)

// maxDepth is how deep bodies may nest. Nothing the server takes nests deeper than six.
const maxDepth = 32

// jsonFormat is encoding/json made strict: a body is one JSON text in UTF-8 without duplicate
// members, and its strings can be stored.
func jsonFormat() huma.Format {
	return huma.Format{
		Marshal: func(w io.Writer, v any) error {
			var buf bytes.Buffer
			enc := json.NewEncoder(&buf)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(v); err != nil {
				return err
			}
			// huma takes any error for one of encoding and panics. A client that went away is not.
			_, _ = w.Write(buf.Bytes())
			return nil
		},
		Unmarshal: func(data []byte, v any) error {
			if err := checkJSON(data); err != nil {
				return err
			}
			if err := json.Unmarshal(data, v); err != nil {
				return explain(err)
			}
			if tree, ok := v.(*any); ok { // huma validates a generic copy before it decodes the real one
				maskNames(*tree)
			}
			return nil
		},
	}
}

// huma writes locations as "rooms[2].name" and loses its way when a member's name contains one of
// these characters. In the copy it validates they are masked: no name of ours contains them, so
// nothing else changes.
const (
	nameSpecial = ".[]"
	nameMasks   = "\x01\x02\x03"
)

func maskNames(tree any) {
	switch v := tree.(type) {
	case map[string]any:
		for name, value := range v {
			maskNames(value)
			if strings.ContainsAny(name, nameSpecial) {
				delete(v, name)
				v[translateName(name, nameSpecial, nameMasks)] = value
			}
		}
	case []any:
		for _, value := range v {
			maskNames(value)
		}
	}
}

func unmaskName(name string) string { return translateName(name, nameMasks, nameSpecial) }

func translateName(name, from, to string) string {
	return strings.Map(func(r rune) rune {
		if i := strings.IndexRune(from, r); i >= 0 {
			return rune(to[i])
		}
		return r
	}, name)
}

// bodyFault is a fault found while decoding. huma keeps only the text of the error, so the text
// carries the parts: see [bodyFault.Error] and [parseBodyFault].
type bodyFault struct {
	code    string // fault.Malformed, or a field code
	pointer string
	detail  string
}

const separator = "\x00"

func (f *bodyFault) Error() string {
	return separator + f.code + separator + f.pointer + separator + f.detail
}

func parseBodyFault(text string) (bodyFault, bool) {
	parts := strings.Split(text, separator)
	if len(parts) != 4 || parts[0] != "" {
		return bodyFault{}, false
	}
	return bodyFault{code: parts[1], pointer: parts[2], detail: parts[3]}, true
}

func malformed(detail string) error {
	return &bodyFault{code: fault.Malformed, detail: detail}
}

// explain turns an error of json.Unmarshal, on data that is well-formed, into a fault. It is the
// second line: what the schema knows has been checked before.
func explain(err error) error {
	if err == nil {
		return nil
	}
	f := &bodyFault{code: fault.FieldBadFormat, pointer: "#", detail: "One of the values has the wrong form."}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		f.code, f.detail = fault.FieldWrongType, "Use a value of another type."
		if wrong.Field != "" {
			f.pointer = "#/" + strings.ReplaceAll(wrong.Field, ".", "/")
		}
		if digits, ok := strings.CutPrefix(wrong.Value, "number "); ok {
			f.detail = "Use a whole number, without point and exponent."
			if _, err := strconv.ParseInt(digits, 10, 64); errors.Is(err, strconv.ErrRange) {
				f.code, f.detail = fault.FieldOutOfRange, "Use a smaller number."
			}
		}
	}
	return f
}

// checkJSON refuses what encoding/json lets pass.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return malformed("The body is not valid UTF-8.")
	}
	if !json.Valid(data) {
		return malformed("The body is not one JSON text.")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return checkValue(dec, nil)
}

// checkValue walks one value. The text is known to be well-formed, so token errors cannot happen
// and are reported as malformed all the same.
func checkValue(dec *json.Decoder, path []string) error {
	token, err := dec.Token()
	if err != nil {
		return malformed("The body is not one JSON text.")
	}
	switch v := token.(type) {
	case json.Delim:
		if len(path) >= maxDepth {
			return &bodyFault{code: fault.FieldTooDeep, pointer: "#", detail: "The body nests too deep."}
		}
		if v == '{' {
			return checkObject(dec, path)
		}
		return checkArray(dec, path)
	case string:
		if strings.Contains(v, "\x00") {
			return &bodyFault{code: fault.FieldBadFormat, pointer: pointer(path), detail: "The text contains NUL."}
		}
	case json.Number:
		if f, err := v.Float64(); err != nil || math.IsInf(f, 0) {
			return &bodyFault{code: fault.FieldOutOfRange, pointer: pointer(path), detail: "The number is too large."}
		}
	}
	return nil
}

func checkObject(dec *json.Decoder, path []string) error {
	seen := map[string]struct{}{}
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return malformed("The body is not one JSON text.")
		}
		if _, twice := seen[name]; twice {
			return malformed("A member of an object appears twice.")
		}
		seen[name] = struct{}{}
		if strings.Contains(name, "\x00") {
			return &bodyFault{code: fault.FieldBadFormat, pointer: pointer(path), detail: "A name contains NUL."}
		}
		if err := checkValue(dec, append(path, name)); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func checkArray(dec *json.Decoder, path []string) error {
	for i := 0; dec.More(); i++ {
		if err := checkValue(dec, append(path, strconv.Itoa(i))); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}
