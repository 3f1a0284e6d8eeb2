package audit_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
)

// Equal values differ in nothing, and each way of differing has one form; Apply replays it.
func TestDiff(t *testing.T) {
	t.Parallel()
	type inner struct {
		A int `json:"a,omitempty"`
	}
	one := 1
	for _, c := range []struct {
		name          string
		before, after any
		want          string
	}{
		{"equal", inner{1}, map[string]any{"a": 1}, `null`},
		{"equal numbers", json.RawMessage(`[1.0,1e2,-0,0.10]`), json.RawMessage(`[1,100,0,1e-1]`), `null`},
		{
			"large numbers", json.RawMessage(`9007199254740993`), json.RawMessage(`9007199254740992`),
			`[{"path":"","op":"replace","before":9007199254740993,"after":9007199254740992}]`,
		},
		{
			"huge exponent", json.RawMessage(`[1e999999999999999999999]`), json.RawMessage(`[1e999999999]`),
			`[{"path":"/0","op":"replace","before":1e999999999999999999999,"after":1e999999999}]`,
		},
		{"missing is not null", map[string]any{}, map[string]any{"a": nil}, `[{"path":"/a","op":"add","after":null}]`},
		{
			"null is not empty",
			map[string]any{"a": nil},
			map[string]any{"a": ""},
			`[{"path":"/a","op":"replace","before":null,"after":""}]`,
		},
		{"zero is not missing", map[string]any{"a": 0}, map[string]any{}, `[{"path":"/a","op":"remove","before":0}]`},
		{"nil slice is not empty", []int(nil), []int{}, `[{"path":"","op":"replace","before":null,"after":[]}]`},
		{"nil pointer", (*int)(nil), &one, `[{"path":"","op":"replace","before":null,"after":1}]`},
		{
			"order of keys",
			map[string]any{"b": 1, "a": 1, "c": 1},
			map[string]any{"c": 2, "b": 2, "d": 2},
			`[{"path":"/a","op":"remove","before":1},{"path":"/b","op":"replace","before":1,"after":2},` +
				`{"path":"/c","op":"replace","before":1,"after":2},{"path":"/d","op":"add","after":2}]`,
		},
		{
			"escaped keys",
			map[string]any{"a/b": 1, "c~d": 1, "": 1},
			map[string]any{"a/b": 2, "c~d": 2, "": 2},
			`[{"path":"/","op":"replace","before":1,"after":2},{"path":"/a~1b","op":"replace","before":1,"after":2},` +
				`{"path":"/c~0d","op":"replace","before":1,"after":2}]`,
		},
		{"insert in front", []int{1, 2, 3}, []int{0, 1, 2, 3}, `[{"path":"/0","op":"add","after":0}]`},
		{"remove in the middle", []int{1, 2, 3}, []int{1, 3}, `[{"path":"/1","op":"remove","before":2}]`},
		{"shorter", []int{1, 2, 3, 4}, []int{5}, `[{"path":"/0","op":"replace","before":1,"after":5},` +
			`{"path":"/3","op":"remove","before":4},{"path":"/2","op":"remove","before":3},{"path":"/1","op":"remove","before":2}]`},
		{
			"element",
			[]any{map[string]any{"a": 1, "b": 1}},
			[]any{map[string]any{"a": 1, "b": 2}},
			`[{"path":"/0/b","op":"replace","before":1,"after":2}]`,
		},
		{
			"another type",
			map[string]any{"a": []int{1}},
			map[string]any{"a": map[string]any{"0": 1}},
			`[{"path":"/a","op":"replace","before":[1],"after":{"0":1}}]`,
		},
		{
			"time", time.Unix(0, 0).UTC(), time.Unix(1, 0).UTC(),
			`[{"path":"","op":"replace","before":"1970-01-01T00:00:00Z","after":"1970-01-01T00:00:01Z"}]`,
		},
		{"no escaping of HTML", "<a>", "&", `[{"path":"","op":"replace","before":"<a>","after":"&"}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changes, err := audit.Diff(c.before, c.after)
			require.NoError(t, err)
			require.Equal(t, exact(t, c.want), exact(t, jsonText(t, changes)))
			var read []audit.Change
			require.NoError(t, json.Unmarshal([]byte(jsonText(t, changes)), &read))
			require.Equal(t, len(changes), len(read))
			got, err := audit.Apply(c.before, read)
			require.NoError(t, err)
			rest, err := audit.Diff(got, c.after)
			require.NoError(t, err)
			require.Empty(t, rest)
		})
	}
}

// exact decodes without rounding numbers.
func exact(t *testing.T, text string) (v any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&v))
	return v
}

func TestDiffDoesNotTouchItsInput(t *testing.T) {
	t.Parallel()
	before := map[string]any{"list": []any{1, 2, map[string]any{"a": 1}}}
	after := map[string]any{"list": []any{2}}
	text := jsonText(t, before)
	changes, err := audit.Diff(before, after)
	require.NoError(t, err)
	_, err = audit.Apply(before, changes)
	require.NoError(t, err)
	require.Equal(t, text, jsonText(t, before))
}

func TestDiffUnencodable(t *testing.T) {
	t.Parallel()
	for _, v := range []any{math.NaN(), make(chan int), panicking{}, json.RawMessage(`{"a":`)} {
		_, err := audit.Diff(v, 1)
		require.ErrorIs(t, err, audit.ErrUnencodable)
		_, err = audit.Diff(1, v)
		require.ErrorIs(t, err, audit.ErrUnencodable)
		_, err = audit.Apply(v, nil)
		require.ErrorIs(t, err, audit.ErrUnencodable)
		_, err = audit.MergePatch(v, 1)
		require.ErrorIs(t, err, audit.ErrUnencodable)
		_, err = audit.MergePatch(1, v)
		require.ErrorIs(t, err, audit.ErrUnencodable)
	}
}

func TestApplyFaults(t *testing.T) {
	t.Parallel()
	doc := map[string]any{"list": []int{1}, "leaf": 1}
	one := json.RawMessage(`1`)
	for _, c := range []audit.Change{
		{Path: "/missing", Op: audit.OpReplace, New: one},
		{Path: "/missing", Op: audit.OpRemove},
		{Path: "/missing/x", Op: audit.OpAdd, New: one},
		{Path: "/list/1", Op: audit.OpReplace, New: one},
		{Path: "/list/1", Op: audit.OpRemove},
		{Path: "/list/2", Op: audit.OpAdd, New: one},
		{Path: "/list/-1", Op: audit.OpAdd, New: one},
		{Path: "/list/00", Op: audit.OpReplace, New: one},
		{Path: "/list/-", Op: audit.OpAdd, New: one},
		{Path: "/leaf/x", Op: audit.OpAdd, New: one},
		{Path: "list", Op: audit.OpAdd, New: one},
		{Path: "/leaf", Op: "move"},
		{Path: "/leaf", Op: audit.OpReplace},
		{Path: "/leaf", Op: audit.OpReplace, New: json.RawMessage(`1 2`)},
	} {
		_, err := audit.Apply(doc, []audit.Change{c})
		require.ErrorIs(t, err, audit.ErrApply, "%+v", c)
	}
}

func TestMergePatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after, want string }{
		{`{"a":1}`, `{"a":1}`, `{}`},
		{`{"a":1,"b":{"c":1,"d":1}}`, `{"a":2,"b":{"c":1}}`, `{"a":2,"b":{"d":null}}`},
		{`{"a":[1,2]}`, `{"a":[1,3]}`, `{"a":[1,3]}`},
		{`{"a":[1]}`, `{"a":[null]}`, `{"a":[null]}`},
		{`{"a":1}`, `{"a":{}}`, `{"a":{}}`},
		{`{"a":1}`, `[]`, `[]`},
		{`null`, `{"a":1}`, `{"a":1}`},
		{`{"a":null}`, `{"a":null,"b":1}`, `{"b":1}`},
	} {
		patch, err := audit.MergePatch(json.RawMessage(c.before), json.RawMessage(c.after))
		require.NoError(t, err)
		require.JSONEq(t, c.want, string(patch))
	}
	_, err := audit.MergePatch(json.RawMessage(`{"a":1}`), json.RawMessage(`{"a":null}`))
	require.ErrorIs(t, err, audit.ErrNotMergeable)
	_, err = audit.MergePatch(json.RawMessage(`{}`), json.RawMessage(`{"a":{"b":null}}`))
	require.ErrorIs(t, err, audit.ErrNotMergeable)
}

func FuzzDiffApply(f *testing.F) {
	for _, s := range [][2]string{
		{`{"a":1}`, `{"a":2}`},
		{`[1,2,3]`, `[3,2,1]`},
		{`null`, `{}`},
		{`{"a/b":{"~":[{}]}}`, `{"a/b":{"~":[{"x":null}]}}`},
		{`[1.0,{"k":[1,2]}]`, `[1,{"k":[2]},"x"]`},
		{`"a"`, `[]`},
		{`{"":1}`, `{"":{"":1}}`},
		{`1e400`, `-0`},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		before, after := json.RawMessage(a), json.RawMessage(b)
		changes, err := audit.Diff(before, after)
		if err != nil {
			require.ErrorIs(t, err, audit.ErrUnencodable)
			return
		}
		got, err := audit.Apply(before, changes)
		require.NoError(t, err)
		rest, err := audit.Diff(got, after)
		require.NoError(t, err)
		require.Empty(t, rest)
		again, err := audit.Diff(before, after)
		require.NoError(t, err)
		require.Equal(t, changes, again, "the order is stable")
		patch, err := audit.MergePatch(before, after)
		if err == nil {
			require.True(t, json.Valid(patch))
		}
	})
}

func FuzzApply(f *testing.F) {
	f.Add(`{"a":[1]}`, "/a/0", "replace", `2`)
	f.Add(`[]`, "/0", "add", `{}`)
	f.Add(`{"a":1}`, "/a", "remove", ``)
	f.Add(`1`, "", "add", `null`)
	f.Fuzz(func(t *testing.T, doc, path, op, value string) {
		_, err := audit.Apply(json.RawMessage(doc), []audit.Change{{Path: path, Op: op, New: json.RawMessage(value)}})
		if err == nil {
			require.Contains(t, []string{audit.OpAdd, audit.OpRemove, audit.OpReplace}, op)
		}
	})
}

// FuzzLog gives a trail texts from outside: nothing may panic, fail or stay dirty.
func FuzzLog(f *testing.F) {
	f.Add("curl", "/a?token=1", "password", "x")
	f.Add(bad, bad, bad, bad)
	f.Fuzz(func(t *testing.T, agent, path, name, value string) {
		e := one(t, audit.Event{
			Action: "x", Request: audit.Request{UserAgent: agent, Path: path},
			Data: map[string]any{name: value, "password": map[string]any{name: value}},
		})
		require.NotContains(t, e.Request.UserAgent, "\n")
		require.NotContains(t, e.Request.Path, "\x00")
		require.Equal(t, audit.Redacted, e.Data["password"])
	})
}
