package groundwork_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/groundwork-go/groundwork"

const pgxModule = "github.com/jackc/pgx/v5"

// importTable names every package of the module and what it may import besides the standard
// library; the shared internal packages need no mention. A folder ending in /... stands for
// everything below it. Entries without a dot are folders of this module, the others modules. A
// package that is not listed is an error: a new one is a new line here, with its reason in
// docs/design.md.
var importTable = map[string][]string{
	".": nil,

	"sqldb":      {pgxModule},
	"pagination": nil,
	"rbac":       nil,
	"audit":      nil,
	"middleware": nil,
	"cache":      nil,
	"ratelimit":  {"golang.org/x/time"},
	"softdelete": {"sqldb", "pagination"},
	"auth":       {"github.com/golang-jwt/jwt/v5"},
	"vision":     {"github.com/sashabaranov/go-openai", "github.com/bep/imagemeta"},
	"billing":    {"github.com/stripe/stripe-go/v76"},

	"auth/password":          {"golang.org/x/crypto"},
	"auth/onetime":           {"auth"},
	"middleware/prommetrics": {"middleware", "github.com/prometheus/client_golang"},
	"vision/visionsim":       {"vision"},
	"billing/billingsim":     {"billing"},

	"auth/sqlauth":       {"auth", "sqldb", "pagination"},
	"rbac/sqlrbac":       {"rbac", "sqldb", "pagination"},
	"audit/sqlaudit":     {"audit", "sqldb", "pagination"},
	"billing/sqlbilling": {"billing", "sqldb", "pagination"},

	"auth/redisauth":           {"auth", "github.com/redis/go-redis/v9"},
	"ratelimit/redisratelimit": {"ratelimit", "github.com/redis/go-redis/v9"},
	"cache/rediscache":         {"cache", "github.com/redis/go-redis/v9"},

	"auth/authtest":             {"auth"},
	"rbac/rbactest":             {"rbac"},
	"ratelimit/ratelimittest":   {"ratelimit"},
	"cache/cachetest":           {"cache"},
	"audit/audittest":           {"audit"},
	"vision/visiontest":         {"vision"},
	"billing/billingtest":       {"billing"},
	"middleware/middlewaretest": {"middleware"},

	"internal/problem":     nil,
	"internal/breaker":     nil,
	"internal/uuid7":       nil,
	"internal/redisscript": {"github.com/redis/go-redis/v9"},
	"internal/testdb":      {"sqldb", pgxModule, "modernc.org/sqlite"},

	"examples/...": {"*"},
}

// sharedInternal may be imported by every package.
var sharedInternal = []string{"internal/problem", "internal/breaker", "internal/uuid7", "internal/redisscript"}

// testModules are what test files may import besides this module and what their package may.
var testModules = []string{
	"github.com/stretchr/testify/require",
	pgxModule,
	"github.com/redis/go-redis/v9",
	"github.com/prometheus/client_golang",
	"github.com/golang-jwt/jwt/v5",
	"github.com/stripe/stripe-go/v76",
	"modernc.org/sqlite",
	"golang.org/x/crypto",
	"golang.org/x/image",
	"golang.org/x/sync",
	"golang.org/x/time",
	"github.com/santhosh-tekuri/jsonschema/v6",
	"github.com/emersion/go-smtp",
	"github.com/johannesboyne/gofakes3",
	"github.com/chromedp/chromedp",
	"github.com/chromedp/cdproto",
	"github.com/alicebob/miniredis/v2",
}

// oneFile are modules that a single file of the library hides behind an interface.
var oneFile = []string{"github.com/sashabaranov/go-openai", "github.com/stripe/stripe-go/v76"}

// domains are the folders of examples/server/internal that only the app connects.
var domains = []string{"identity", "moving", "landmark", "admin"}

func TestArchitecture(t *testing.T) {
	t.Parallel()
	for _, fault := range archFaults(loadModule(t)) {
		t.Error(fault)
	}
}

// A tool line in the root go.mod would reach every importer.
func TestNoToolInGoMod(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	require.NotRegexp(t, regexp.MustCompile(`(?m)^\s*tool\b`), string(text))
}

// goFile is one parsed Go file of the module.
type goFile struct {
	path, dir string // slash-separated, from the module root; the root itself is "."
	test      bool
	fset      *token.FileSet
	ast       *ast.File
}

// loadModule parses all Go files below the root, but not those of nested modules, testdata, and
// folders that the go command ignores.
func loadModule(t *testing.T) []*goFile {
	t.Helper()
	sources := map[string]string{}
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			_, noModule := os.Stat(filepath.Join(name, "go.mod"))
			if name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") ||
				base == "testdata" || noModule == nil || name == filepath.Join("internal", "deps")) {
				return filepath.SkipDir
			}
			return nil
		}
		if path.Ext(base) != ".go" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
			return nil
		}
		source, err := os.ReadFile(name)
		sources[filepath.ToSlash(name)] = string(source)
		return err
	})
	require.NoError(t, err)
	return parseSources(t, sources)
}

func parseSources(t *testing.T, sources map[string]string) []*goFile {
	t.Helper()
	fset := token.NewFileSet()
	var files []*goFile
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		parsed, err := parser.ParseFile(fset, name, sources[name], parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, &goFile{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), fset: fset, ast: parsed,
		})
	}
	return files
}

// archFaults returns one line for each broken rule.
func archFaults(files []*goFile) []string {
	var faults []string
	packages := map[string][]*goFile{}
	hiding := map[string][]string{}
	for _, f := range files {
		fault := func(pos token.Pos, format string, args ...any) {
			faults = append(faults,
				fmt.Sprintf("%s:%d: %s", f.path, f.fset.Position(pos).Line, fmt.Sprintf(format, args...)))
		}
		for _, spec := range f.ast.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if reason := importFault(f.dir, f.test, imported); reason != "" {
				fault(spec.Pos(), "import of %s: %s", imported, reason)
			}
			for _, hidden := range oneFile {
				if !f.test && within(imported, hidden) && !within(f.dir, "examples") {
					hiding[hidden] = append(hiding[hidden], f.path)
				}
			}
		}
		if f.test || isSuite(f.dir) {
			findSleep(f, fault)
		}
		if !f.test {
			packages[f.dir] = append(packages[f.dir], f)
			checkDeclarations(f, fault)
		}
	}
	for _, hidden := range oneFile {
		users := slices.Compact(hiding[hidden])
		if len(users) > 1 {
			faults = append(faults, fmt.Sprintf("%s is imported by more than one file: %v", hidden, users))
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		if tableRow(dir) == "" {
			faults = append(faults, dir+": package is not in the import table")
		}
		faults = append(faults, packageDocFaults(dir, packages[dir])...)
		if !within(dir, "examples") {
			faults = append(faults, mutableVars(packages[dir])...)
		}
	}
	return faults
}

// importFault says why a file in dir must not import a package, or returns "".
func importFault(dir string, test bool, imported string) string {
	local, inModule := strings.CutPrefix(imported, module+"/")
	if inModule && domainOf(dir) != "" && domainOf(local) != "" && domainOf(dir) != domainOf(local) {
		return "domain folders do not import each other"
	}
	if inModule && within(local, "examples") && !within(dir, "examples") {
		return "the library does not know its examples"
	}
	if test {
		if inModule || isStd(imported) || within(dir, "examples") && !within(imported, "github.com/stretchr/testify") {
			return ""
		}
		modules := append(slices.Clone(testModules), importTable[tableRow(dir)]...)
		if slices.ContainsFunc(modules, func(m string) bool { return within(imported, m) }) {
			return ""
		}
		return "not among the modules for tests"
	}
	if within(imported, "testing") && !isSuite(dir) && !slices.Contains(testFolders, dir) {
		return "only tests and conformance suites use testing"
	}
	last := path.Base(imported)
	if slices.Contains(testFolders, dir) {
		return ""
	}
	if imported == module+"/internal/testdb" || strings.HasSuffix(last, "test") && !isStd(imported) {
		return "only test files use it"
	}
	if isStd(imported) {
		return ""
	}
	for _, allowed := range importTable[tableRow(dir)] {
		if allowed == "*" || inModule && allowed == local || !inModule && within(imported, allowed) {
			return ""
		}
	}
	if inModule && slices.Contains(sharedInternal, local) && !isSuite(dir) {
		return ""
	}
	return "not in the import table"
}

// testFolders hold what several test files share. Only test files may import them, and they are bound
// by nothing else.
var testFolders = []string{"internal/testdb", "examples/server/internal/servertest"}

func isStd(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// within reports whether name is root or below it.
func within(name, root string) bool {
	return name == root || strings.HasPrefix(name, root+"/")
}

// isSuite reports whether dir holds a conformance suite, such as auth/authtest.
func isSuite(dir string) bool {
	parent := path.Dir(dir)
	return parent != "." && path.Base(dir) == path.Base(parent)+"test"
}

func tableRow(dir string) string {
	if _, ok := importTable[dir]; ok {
		return dir
	}
	for row := range importTable {
		if root, tree := strings.CutSuffix(row, "/..."); tree && within(dir, root) {
			return row
		}
	}
	return ""
}

func domainOf(dir string) string {
	below, ok := strings.CutPrefix(dir, "examples/server/internal/")
	if !ok {
		return ""
	}
	first, _, _ := strings.Cut(below, "/")
	if slices.Contains(domains, first) {
		return first
	}
	return ""
}

type faultFunc func(pos token.Pos, format string, args ...any)

func findSleep(f *goFile, fault faultFunc) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Sleep" {
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" {
				fault(n.Pos(), "time.Sleep in a test")
			}
		}
		return true
	})
}

// checkDeclarations refuses init and exported names without a comment that begins with them. In
// a group of constants or variables the comment of the group or of the line is enough.
func checkDeclarations(f *goFile, fault faultFunc) {
	if f.ast.Name.Name == "main" {
		return
	}
	for _, decl := range f.ast.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				fault(d.Pos(), "func init")
			}
			if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiver(d))) && !begins(d.Doc, d.Name.Name) {
				fault(d.Pos(), "%s has no comment that begins with its name", d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() && !begins(s.Doc, s.Name.Name) && (d.Lparen.IsValid() || !begins(d.Doc, s.Name.Name)) {
						fault(s.Pos(), "%s has no comment that begins with its name", s.Name.Name)
					}
				case *ast.ValueSpec:
					documented := s.Doc != nil || s.Comment != nil || d.Lparen.IsValid() && d.Doc != nil
					for _, name := range s.Names {
						if name.IsExported() && !documented && !begins(d.Doc, name.Name) {
							fault(name.Pos(), "%s has no comment", name.Name)
						}
					}
				}
			}
		}
	}
}

func receiver(d *ast.FuncDecl) string {
	name := types.ExprString(d.Recv.List[0].Type)
	name, _, _ = strings.Cut(strings.TrimPrefix(name, "*"), "[")
	return name
}

func begins(doc *ast.CommentGroup, name string) bool {
	text := doc.Text()
	for _, article := range []string{"", "A ", "An ", "The "} {
		rest, ok := strings.CutPrefix(text, article+name)
		if ok && (rest == "" || strings.ContainsAny(rest[:1], " \n,.:'")) {
			return true
		}
	}
	return strings.HasPrefix(text, "Deprecated:")
}

func packageDocFaults(dir string, files []*goFile) []string {
	for _, f := range files {
		if f.ast.Doc != nil && (f.ast.Name.Name == "main" || strings.HasPrefix(f.ast.Doc.Text(), "Package "+f.ast.Name.Name+" ")) {
			return nil
		}
	}
	return []string{dir + ": package has no comment that begins with its name"}
}

// mutableVars finds package variables that can change: ones that some statement of the package
// assigns to or takes the address of, ones whose value is made to be changed (pointers, channels,
// locks), and exported ones that are not errors. A comment with the word "immutable" on the
// variable or its group allows the last two kinds, never the first.
func mutableVars(files []*goFile) []string {
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	var parsed []*ast.File
	for _, f := range files {
		if buildsHere(f) {
			parsed = append(parsed, f.ast)
		}
	}
	// Imports stay empty; only the names declared in the package itself matter here.
	config := types.Config{Importer: emptyImporter{}, Error: func(error) {}}
	_, _ = config.Check(files[0].dir, files[0].fset, parsed, info)

	var faults []string
	fault := func(pos token.Pos, name, reason string) {
		at := files[0].fset.Position(pos)
		faults = append(faults, fmt.Sprintf("%s:%d: package variable %s %s", at.Filename, at.Line, name, reason))
	}
	variables := map[types.Object]bool{}
	for _, file := range parsed {
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, spec := range gen.Specs {
				spec := spec.(*ast.ValueSpec)
				notes := gen.Doc.Text() + spec.Doc.Text() + spec.Comment.Text()
				for i, name := range spec.Names {
					if name.Name == "_" {
						continue
					}
					variables[info.Defs[name]] = true
					if reason := variableFault(gen, spec, i); reason != "" && !strings.Contains(notes, "immutable") {
						fault(name.Pos(), name.Name, reason)
					}
				}
			}
		}
	}
	written := func(expr ast.Expr) {
		for {
			switch e := expr.(type) {
			case *ast.IndexExpr:
				expr = e.X
			case *ast.SelectorExpr:
				expr = e.X
			case *ast.ParenExpr:
				expr = e.X
			case *ast.StarExpr:
				expr = e.X
			case *ast.Ident:
				if variables[info.Uses[e]] {
					fault(e.Pos(), e.Name, "is written to")
				}
				return
			default:
				return
			}
		}
	}
	for _, file := range parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			switch s := n.(type) {
			case *ast.AssignStmt:
				for _, left := range s.Lhs {
					written(left)
				}
			case *ast.RangeStmt:
				if s.Tok == token.ASSIGN {
					written(s.Key)
					written(s.Value)
				}
			case *ast.IncDecStmt:
				written(s.X)
			case *ast.UnaryExpr:
				if s.Op == token.AND {
					written(s.X)
				}
			case *ast.CallExpr:
				if fn, ok := s.Fun.(*ast.Ident); ok && (fn.Name == "delete" || fn.Name == "clear") && len(s.Args) > 0 {
					written(s.Args[0])
				}
			}
			return true
		})
	}
	return faults
}

// buildsHere leaves out files for other systems, which may declare a name a second time.
func buildsHere(f *goFile) bool {
	if _, err := os.Stat(f.path); err != nil {
		return true // a source of the table test
	}
	match, err := build.Default.MatchFile(filepath.FromSlash(f.dir), path.Base(f.path))
	return err != nil || match
}

type emptyImporter struct{}

func (emptyImporter) Import(name string) (*types.Package, error) {
	base := path.Base(name)
	if regexp.MustCompile(`^v\d+$`).MatchString(base) {
		base = path.Base(path.Dir(name))
	}
	pkg := types.NewPackage(name, base)
	pkg.MarkComplete()
	return pkg, nil
}

// variableFault judges a package variable by its declaration.
func variableFault(gen *ast.GenDecl, spec *ast.ValueSpec, i int) string {
	for _, doc := range []*ast.CommentGroup{gen.Doc, spec.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
			return strings.HasPrefix(c.Text, "//go:embed ")
		}) {
			return ""
		}
	}
	kind := ""
	if spec.Type != nil {
		kind = types.ExprString(spec.Type)
	}
	if strings.HasPrefix(kind, "sync.") || strings.HasPrefix(kind, "atomic.") {
		return "is made to be changed"
	}
	if i >= len(spec.Values) {
		return "has no value, so something must set it"
	}
	value := types.ExprString(spec.Values[i])
	call, isCall := spec.Values[i].(*ast.CallExpr)
	name := ""
	if isCall {
		name = types.ExprString(call.Fun)
	}
	switch {
	case name == "errors.New", name == "fmt.Errorf", name == "regexp.MustCompile":
		return ""
	case name == "make", name == "new", strings.HasPrefix(value, "&"),
		strings.HasPrefix(value, "sync."), strings.HasPrefix(value, "atomic."):
		return "is made to be changed"
	case spec.Names[i].IsExported():
		return "is exported, so anyone can change it"
	}
	return ""
}
