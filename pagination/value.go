package pagination

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// timeLayout is fixed in width, so that text compares as time.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// tag is the form of a value inside a cursor. The numbers are part of the cursor's version.
type tag byte

const (
	tagNull  tag = iota
	tagText      // uvarint length, bytes
	tagInt       // 8 bytes
	tagFloat     // 8 bytes, IEEE 754
	tagBool      // 1 byte
	tagTime      // 8 bytes, microseconds since 1970
	tagUUID      // 16 bytes
)

// value is one sort or filter value, typed: a JSON number would damage integers above 2^53.
type value struct {
	tag  tag
	bits uint64 // int, float, bool, time
	uuid [16]byte
	text string
}

func textValue(s string) value   { return value{tag: tagText, text: s} }
func intValue(n int64) value     { return value{tag: tagInt, bits: uint64(n)} }
func floatValue(f float64) value { return value{tag: tagFloat, bits: math.Float64bits(f)} }
func timeValue(t time.Time) value {
	return value{tag: tagTime, bits: uint64(t.UnixMicro())}
}

func boolValue(b bool) value {
	if b {
		return value{tag: tagBool, bits: 1}
	}
	return value{tag: tagBool}
}

// uuidValue packs a canonical UUID; any other spelling keeps its text.
func uuidValue(s string) value {
	if v, ok := parseUUID(s); ok && s == strings.ToLower(s) {
		return v
	}
	return textValue(s)
}

func parseUUID(s string) (value, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return value{}, false
	}
	var digits [32]byte
	n := 0
	for i := range len(s) {
		switch i {
		case 8, 13, 18, 23:
		default:
			digits[n] = s[i]
			n++
		}
	}
	v := value{tag: tagUUID}
	_, err := hex.Decode(v.uuid[:], digits[:])
	return v, err == nil
}

func (v value) uuidText() string {
	var out [36]byte
	hex.Encode(out[:8], v.uuid[:4])
	hex.Encode(out[9:13], v.uuid[4:6])
	hex.Encode(out[14:18], v.uuid[6:8])
	hex.Encode(out[19:23], v.uuid[8:10])
	hex.Encode(out[24:], v.uuid[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}

// arg is the value as it is bound: never a time.Time, never a []byte.
func (v value) arg() any {
	switch v.tag {
	case tagText:
		return v.text
	case tagInt:
		return int64(v.bits)
	case tagFloat:
		return math.Float64frombits(v.bits)
	case tagBool:
		return v.bits == 1
	case tagTime:
		return time.UnixMicro(int64(v.bits)).UTC().Format(timeLayout)
	case tagUUID:
		return v.uuidText()
	default:
		return nil
	}
}

// append adds the cursor form of v to b.
func (v value) append(b []byte) []byte {
	b = append(b, byte(v.tag))
	switch v.tag {
	case tagText:
		b = binary.AppendUvarint(b, uint64(len(v.text)))
		return append(b, v.text...)
	case tagInt, tagFloat, tagTime:
		return binary.BigEndian.AppendUint64(b, v.bits)
	case tagBool:
		return append(b, byte(v.bits))
	case tagUUID:
		return append(b, v.uuid[:]...)
	}
	return b
}

// fits says whether a value of this form can belong to f.
func (f *field) fits(t tag) bool {
	switch f.Kind {
	case Int:
		return t == tagInt || t == tagNull && f.Nullable
	case Float:
		return t == tagFloat || t == tagNull && f.Nullable
	case Bool:
		return t == tagBool || t == tagNull && f.Nullable
	case Time:
		return t == tagTime || t == tagNull && f.Nullable
	case UUID:
		return t == tagUUID || t == tagText || t == tagNull && f.Nullable
	default:
		return t == tagText || t == tagNull && f.Nullable
	}
}

// readValue takes one value off data. whole holds the same bytes as data's underlying plaintext
// as a string once a text was met, so that all texts of a cursor share one allocation.
func readValue(data []byte, whole *string, plain []byte) (v value, rest []byte, ok bool) {
	if len(data) == 0 {
		return v, nil, false
	}
	v.tag, data = tag(data[0]), data[1:]
	switch v.tag {
	case tagNull:
		return v, data, true
	case tagText:
		n, used := binary.Uvarint(data)
		if used <= 0 || n > uint64(len(data)-used) {
			return v, nil, false
		}
		if *whole == "" {
			*whole = string(plain)
		}
		at := len(plain) - len(data) + used
		v.text = (*whole)[at : at+int(n)]
		return v, data[used+int(n):], true
	case tagInt, tagFloat, tagTime:
		if len(data) < 8 {
			return v, nil, false
		}
		v.bits = binary.BigEndian.Uint64(data)
		return v, data[8:], true
	case tagBool:
		if len(data) < 1 || data[0] > 1 {
			return v, nil, false
		}
		v.bits = uint64(data[0])
		return v, data[1:], true
	case tagUUID:
		if len(data) < 16 {
			return v, nil, false
		}
		copy(v.uuid[:], data)
		return v, data[16:], true
	}
	return v, nil, false
}

// keyScan receives one hidden key column. It takes every form in which the drivers hand a value
// over: pgx and its database/sql driver decode, simple protocol and SQLite may leave text.
type keyScan struct {
	field *field
	value value
}

// Scan implements sql.Scanner.
func (k *keyScan) Scan(src any) error {
	if src == nil {
		if !k.field.Nullable {
			return fmt.Errorf("%w: %s", ErrNullKey, k.field.Name)
		}
		k.value = value{}
		return nil
	}
	if b, ok := src.([]byte); ok {
		src = string(b)
	}
	v, ok := k.field.Kind.fromDriver(src)
	if !ok {
		return fmt.Errorf("pagination: sort field %s: cannot read %T as %s", k.field.Name, src, k.field.Kind)
	}
	k.value = v
	return nil
}

func (k Kind) fromDriver(src any) (value, bool) {
	switch k {
	case Int:
		switch x := src.(type) {
		case int64:
			return intValue(x), true
		case string:
			n, err := strconv.ParseInt(x, 10, 64)
			return intValue(n), err == nil
		}
	case Float:
		switch x := src.(type) {
		case float64:
			return floatValue(x), true
		case float32:
			return floatValue(float64(x)), true
		case int64:
			return floatValue(float64(x)), true
		case string:
			f, err := strconv.ParseFloat(x, 64)
			return floatValue(f), err == nil
		}
	case Bool:
		switch x := src.(type) {
		case bool:
			return boolValue(x), true
		case int64:
			return boolValue(x != 0), true
		case string:
			b, err := strconv.ParseBool(x)
			return boolValue(b), err == nil
		}
	case Time:
		switch x := src.(type) {
		case time.Time:
			return timeValue(x), true
		case string:
			return timeFromText(x)
		}
	case Date:
		switch x := src.(type) {
		case time.Time:
			return textValue(x.Format(time.DateOnly)), true
		case string:
			return textValue(x), true
		}
	case UUID:
		if x, ok := src.(string); ok {
			return uuidValue(x), true
		}
	default:
		if x, ok := src.(string); ok {
			return textValue(x), true
		}
	}
	return value{}, false
}

// timeFromText reads what the databases print for a time.
func timeFromText(s string) (value, bool) {
	for _, layout := range [...]string{
		timeLayout, time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return timeValue(t), true
		}
	}
	return value{}, false
}
