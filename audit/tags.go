package audit

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"
)

// maxTagDepth ends the walk over Go values. Whatever is walked has a JSON form, so it holds no
// cycle; this bounds the cost.
const maxTagDepth = 64

// taggedPaths adds the JSON pointers of the struct fields tagged `audit:"redact"` to found. The
// names are those of encoding/json. A type that writes its own JSON is opaque: tag the field that
// holds it.
func taggedPaths(v any, path string, found map[string]bool) {
	walkTags(reflect.ValueOf(v), path, found, 0)
}

func walkTags(v reflect.Value, path string, found map[string]bool, depth int) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() || depth > maxTagDepth || writesItself(v) {
			return
		}
		v, depth = v.Elem(), depth+1
	}
	if !v.IsValid() || depth > maxTagDepth || writesItself(v) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		walkFields(v, path, found, depth)
	case reflect.Map:
		for iter := v.MapRange(); iter.Next(); {
			walkTags(iter.Value(), path+"/"+escapeKey(mapKey(iter.Key())), found, depth+1)
		}
	case reflect.Slice, reflect.Array:
		if !mayHoldTags(v.Type().Elem().Kind()) {
			return
		}
		for i := range v.Len() {
			walkTags(v.Index(i), indexPath(path, i), found, depth+1)
		}
	}
}

func walkFields(v reflect.Value, path string, found map[string]bool, depth int) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag := field.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		if tag == "-" || !field.IsExported() && !field.Anonymous {
			continue
		}
		at := path + "/" + escapeKey(name)
		if name == "" {
			at = path + "/" + field.Name
			if field.Anonymous && isStruct(field.Type) {
				at = path // its fields are promoted
			}
		}
		if field.Tag.Get("audit") == "redact" {
			if at == path {
				markPromoted(v.Field(i), path, found, depth)
			} else {
				found[at] = true
			}
			continue
		}
		if mayHoldTags(field.Type.Kind()) {
			walkTags(v.Field(i), at, found, depth+1)
		}
	}
}

// markPromoted marks every field of an embedded struct that is tagged as a whole.
func markPromoted(v reflect.Value, path string, found map[string]bool, depth int) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if depth > maxTagDepth {
		return
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name != "":
			found[path+"/"+escapeKey(name)] = true
		case field.Anonymous && isStruct(field.Type):
			markPromoted(v.Field(i), path, found, depth+1)
		default:
			found[path+"/"+field.Name] = true
		}
	}
}

func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

func mayHoldTags(k reflect.Kind) bool {
	switch k {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Array, reflect.Pointer, reflect.Interface:
		return true
	}
	return false
}

func writesItself(v reflect.Value) bool {
	if v.Kind() == reflect.Interface {
		return false
	}
	return v.Type().Implements(reflect.TypeFor[json.Marshaler]()) ||
		v.Type().Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

// mapKey is the member name that encoding/json gives a map key.
func mapKey(k reflect.Value) string {
	if k.Kind() == reflect.String {
		return k.String()
	}
	if k.CanInterface() {
		if m, ok := k.Interface().(encoding.TextMarshaler); ok {
			text, _ := m.MarshalText()
			return string(text)
		}
	}
	if k.CanInt() {
		return strconv.FormatInt(k.Int(), 10)
	}
	if k.CanUint() {
		return strconv.FormatUint(k.Uint(), 10)
	}
	return fmt.Sprint(k)
}

func indexPath(path string, i int) string { return path + "/" + strconv.Itoa(i) }

// recoverRedactor turns a panic of the caller's Match function into an error.
func recoverRedactor(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{In: "redactor", Value: v, Stack: debug.Stack()}
	}
}
