package groundwork_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestArchitectureCatches proves on small sources that each rule fails when it is broken.
func TestArchitectureCatches(t *testing.T) {
	t.Parallel()
	const (
		root = module + "/"
		doc  = "// Package p is a package.\npackage p\n\n"
	)
	imports := func(path string) string { return doc + "import _ \"" + path + "\"\n" }
	tests := []struct {
		name, path, source string
		want               string // "" when the source is fine
	}{
		{"std", "pagination/p.go", imports("net/http"), ""},
		{"module in a core package", "pagination/p.go", imports("github.com/x/y"), "not in the import table"},
		{"module of another package", "pagination/p.go", imports(pgxModule), "not in the import table"},
		{"allowed module", "sqldb/p.go", imports(pgxModule + "/pgconn"), ""},
		{"module with the same beginning", "sqldb/p.go", imports(pgxModule + "x"), "not in the import table"},
		{"core imports core", "auth/p.go", imports(root + "middleware"), "not in the import table"},
		{"backend imports its core", "auth/sqlauth/p.go", imports(root + "auth"), ""},
		{"backend imports another core", "auth/sqlauth/p.go", imports(root + "rbac"), "not in the import table"},
		{"core imports its backend", "auth/p.go", imports(root + "auth/sqlauth"), "not in the import table"},
		{"shared internal", "auth/p.go", imports(root + "internal/problem"), ""},
		{"other internal", "auth/p.go", imports(root + "internal/other"), "not in the import table"},
		{"crypto in auth itself", "auth/p.go", imports("golang.org/x/crypto/argon2"), "not in the import table"},
		{"crypto in password", "auth/password/p.go", imports("golang.org/x/crypto/argon2"), ""},
		{"unknown package", "util/p.go", doc, "not in the import table"},
		{"unknown sub-package", "auth/helpers/p.go", doc, "not in the import table"},
		{"library imports an example", "auth/p.go", imports(root + "examples/server/internal/app"), "examples"},
		{"test imports an example", "auth/p_test.go", imports(root + "examples/server/internal/app"), "examples"},
		{"example imports anything", "examples/server/internal/app/p.go", imports("github.com/x/y"), ""},

		{"suite", "auth/authtest/p.go", imports("testing"), ""},
		{"suite imports its core", "auth/authtest/p.go", imports(root + "auth"), ""},
		{"suite imports testify", "auth/authtest/p.go", imports("github.com/stretchr/testify/require"), "not in the import table"},
		{"suite imports a shared package", "auth/authtest/p.go", imports(root + "internal/uuid7"), "not in the import table"},
		{"testing outside tests", "auth/p.go", imports("testing"), "testing"},
		{"testing below", "vision/visionsim/p.go", imports("testing/fstest"), "testing"},
		{"suite outside tests", "auth/sqlauth/p.go", imports(root + "auth/authtest"), "only test files"},
		{"suite in an example", "examples/server/p.go", imports(root + "auth/authtest"), "only test files"},
		{"foreign suite", "examples/server/p.go", imports("github.com/riverqueue/river/rivertest"), "only test files"},
		{"testdb outside tests", "examples/server/p.go", imports(root + "internal/testdb"), "only test files"},
		{"testdb in tests", "auth/p_test.go", imports(root + "internal/testdb"), ""},
		{"require in tests", "auth/p_test.go", imports("github.com/stretchr/testify/require"), ""},
		{"assert in tests", "auth/p_test.go", imports("github.com/stretchr/testify/assert"), "modules for tests"},
		{"assert in tests of an example", "examples/p_test.go", imports("github.com/stretchr/testify/assert"), "modules for tests"},
		{"other module in tests", "auth/p_test.go", imports("github.com/x/y"), "modules for tests"},

		{"domain imports domain", "examples/server/internal/moving/p.go", imports(root + "examples/server/internal/identity"), "domain folders"},
		{"below a domain", "examples/server/internal/admin/x/p.go", imports(root + "examples/server/internal/landmark/y"), "domain folders"},
		{"test of a domain", "examples/server/internal/moving/p_test.go", imports(root + "examples/server/internal/identity"), "domain folders"},
		{"domain imports itself", "examples/server/internal/moving/p.go", imports(root + "examples/server/internal/moving/pricing"), ""},
		{"domain imports a part of the server", "examples/server/internal/moving/p.go", imports(root + "examples/server/internal/jobs"), ""},
		{"app imports a domain", "examples/server/internal/app/p.go", imports(root + "examples/server/internal/identity"), ""},

		{"init", "auth/p.go", doc + "func init() {}\n", "func init"},
		{"init in an example", "examples/x/p.go", doc + "func init() {}\n", "func init"},
		{"method init", "auth/p.go", doc + "type t struct{}\n\nfunc (t) init() {}\n", ""},
		{"sleep in a test", "auth/p_test.go", doc + "import \"time\"\n\nfunc f() { time.Sleep(1) }\n", "time.Sleep"},
		{"sleep in a suite", "auth/authtest/p.go", doc + "import \"time\"\n\nfunc f() { time.Sleep(1) }\n", "time.Sleep"},

		{"no package comment", "auth/p.go", "package p\n", "package has no comment"},
		{"other package comment", "auth/p.go", "// Some words.\npackage p\n", "package has no comment"},
		{"program", "examples/p.go", "// How to run it.\npackage main\n\nfunc main() {}\n", ""},
		{"function", "auth/p.go", doc + "func F() {}\n", "F has no comment"},
		{"function with another comment", "auth/p.go", doc + "// Does things.\nfunc F() {}\n", "F has no comment"},
		{"function with the comment of a longer name", "auth/p.go", doc + "// Fx does.\nfunc F() {}\n", "F has no comment"},
		{"documented function", "auth/p.go", doc + "// F does.\nfunc F() {}\n", ""},
		{"method", "auth/p.go", doc + "// T is.\ntype T[X any] struct{}\n\nfunc (t *T[X]) M() {}\n", "M has no comment"},
		{"method of a hidden type", "auth/p.go", doc + "type t struct{}\n\nfunc (t) M() {}\n", ""},
		{"type", "auth/p.go", doc + "type T int\n", "T has no comment"},
		{"type with an article", "auth/p.go", doc + "// A T is.\ntype T int\n", ""},
		{"type in a group", "auth/p.go", doc + "// T is.\ntype (\n\tT int\n)\n", "T has no comment"},
		{"constant", "auth/p.go", doc + "const C = 1\n", "C has no comment"},
		{"constants of a group", "auth/p.go", doc + "// All of them.\nconst (\n\tC = 1\n\tD = 2\n)\n", ""},
		{"constant with a line comment", "auth/p.go", doc + "const (\n\tC = 1 // one\n)\n", ""},

		{"sentinel", "auth/p.go", doc + "import \"errors\"\n\n// ErrX is.\nvar ErrX = errors.New(\"x\")\n", ""},
		{"pattern", "auth/p.go", doc + "import \"regexp\"\n\nvar x = regexp.MustCompile(``)\n", ""},
		{"embedded", "auth/p.go", doc + "import _ \"embed\"\n\n//go:embed p.go\nvar x string\n", ""},
		{"compile-time check", "auth/p.go", doc + "var _ error = nil\n", ""},
		{"table", "auth/p.go", doc + "var x = map[int]int{1: 2}\n\nfunc f() int { return x[1] }\n", ""},
		{"variable without value", "auth/p.go", doc + "var x int\n", "has no value"},
		{"lock", "auth/p.go", doc + "import \"sync\"\n\nvar x sync.Mutex\n", "made to be changed"},
		{"pointer", "auth/p.go", doc + "var x = &struct{}{}\n", "made to be changed"},
		{"channel", "auth/p.go", doc + "var x = make(chan int)\n", "made to be changed"},
		{"exported", "auth/p.go", doc + "// X is.\nvar X = 1\n", "is exported"},
		{"exported and declared immutable", "auth/p.go", doc + "// X is an immutable table.\nvar X = [1]int{}\n", ""},
		{"assigned", "auth/p.go", doc + "var x = 1\n\nfunc f() { x = 2 }\n", "is written to"},
		{"assigned in spite of its comment", "auth/p.go", doc + "// immutable\nvar x = 1\n\nfunc f() { x++ }\n", "is written to"},
		{"element assigned", "auth/p.go", doc + "var x = map[int][]int{}\n\nfunc f() { x[1][2] = 2 }\n", "is written to"},
		{"element deleted", "auth/p.go", doc + "var x = map[int]int{}\n\nfunc f() { delete(x, 1) }\n", "is written to"},
		{"address taken", "auth/p.go", doc + "var x = 1\n\nfunc f() *int { return &x }\n", "is written to"},
		{"local of the same name", "auth/p.go", doc + "var x = 1\n\nfunc f() { x := x; x = 2; _ = x }\n", ""},
		{"variable of an example", "examples/p.go", doc + "var x = 1\n\nfunc f() { x = 2 }\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			faults := archFaults(parseSources(t, map[string]string{tt.path: tt.source}))
			if tt.want == "" {
				require.Empty(t, faults)
				return
			}
			require.Len(t, faults, 1)
			require.Contains(t, faults[0], tt.want)
		})
	}
	t.Run("hidden module in two files", func(t *testing.T) {
		t.Parallel()
		openai := imports(oneFile[0])
		faults := archFaults(parseSources(t, map[string]string{"vision/a.go": openai, "vision/b.go": openai}))
		require.Len(t, faults, 1)
		require.Contains(t, faults[0], "more than one file")
	})
	t.Run("written in another file", func(t *testing.T) {
		t.Parallel()
		faults := archFaults(parseSources(t, map[string]string{
			"vision/a.go": doc + "var x = 1\n", "vision/b.go": "package p\n\nfunc f() { x = 2 }\n",
		}))
		require.Len(t, faults, 1)
		require.Contains(t, faults[0], "vision/b.go:3")
	})
}
