package rest

import (
	"path"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// schemaNamer names the schemas of the document after their types, without the ending JSON that
// types made for encoding have. Domain packages do not know each other, so two may use one name: the
// one that comes second gets its package's name in front. Registration has a fixed order, so names
// are stable.
func schemaNamer() func(reflect.Type, string) string {
	owners := map[string]reflect.Type{}
	return func(t reflect.Type, hint string) string {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		name := huma.DefaultSchemaNamer(t, hint)
		if short := strings.ReplaceAll(name, "JSON", ""); short != "" {
			name = short
		}
		if t.Name() == "" {
			return name
		}
		if owner, taken := owners[name]; taken && owner != t {
			pkg := path.Base(t.PkgPath())
			name = strings.ToUpper(pkg[:1]) + pkg[1:] + name
		}
		if _, taken := owners[name]; !taken {
			owners[name] = t
		}
		return name
	}
}
