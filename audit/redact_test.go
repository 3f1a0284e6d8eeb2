package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/audit"
)

const secret = "hunter2-s3cr3t"

type base struct {
	APIKey string
}

type account struct {
	base
	Name     string              `json:"name"`
	Password string              `json:"password"`
	IBAN     string              `json:"iban" audit:"redact"`
	Nested   *account            `json:"nested,omitempty"`
	List     []account           `json:"list,omitempty"`
	ByName   map[string]any      `json:"by_name,omitempty"`
	Headers  map[string][]string `json:"headers,omitempty"`
	Raw      json.RawMessage     `json:"raw,omitempty"`
}

func jsonText(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// Secrets are masked wherever they are, in data and in changes.
func TestRedaction(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"Password":        map[string]any{"Password": secret},
		"PASSWORD":        map[string]any{"PASSWORD": secret},
		"inside a name":   map[string]any{"newPassword": secret, "old_password_hash": secret, "accessToken": secret},
		"long s":          map[string]any{"paſſword": secret},
		"dashes":          map[string]any{"x-api-key": secret, "Set-Cookie": secret},
		"short words":     map[string]any{"cardHolder": secret, "CVV": secret, "otps": secret},
		"nested map":      map[string]any{"a": map[string]any{"b": map[string]any{"secret": secret}}},
		"array of maps":   []map[string]any{{"a": 1}, {"token": secret}},
		"list of secrets": map[string]any{"tokens": []string{secret}},
		"object":          map[string]any{"card": map[string]any{"number": secret}},
		"number":          map[string]any{"passcode": json.Number("1234567")},
		"header map":      map[string][]string{"Authorization": {"Bearer " + secret}},
		"header pairs":    []any{map[string]any{"name": "Authorization", "value": secret}},
		"struct tag":      account{Name: "n", IBAN: secret},
		"pointer":         &account{Nested: &account{IBAN: secret, Password: secret}},
		"slice of struct": account{List: []account{{}, {IBAN: secret}}},
		"struct in any":   account{ByName: map[string]any{"a/b~c": &account{IBAN: secret}}},
		"raw message":     account{Raw: json.RawMessage(`{"client_secret":"` + secret + `"}`)},
		"raw escaped key": json.RawMessage(`{"\u0070assword":"` + secret + `"}`),
		"embedded":        account{base: base{APIKey: secret}},
		"map key struct":  map[int]account{3: {IBAN: secret}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := audit.NewMemory(0)
			trail := logger(t, audit.Config{Sink: m})
			require.NoError(t, trail.Log(t.Context(), audit.Event{Action: "x", Data: map[string]any{"v": value}}))
			require.NoError(t, trail.Change(t.Context(), audit.Event{Action: "x"}, nil, map[string]any{"v": value}))
			require.NoError(t, trail.Change(t.Context(), audit.Event{Action: "x"}, value, nil))
			require.NoError(t, trail.Change(t.Context(), audit.Event{Action: "x"}, map[string]any{"v": value}, map[string]any{"v": 1}))
			for i, e := range m.Events() {
				text := jsonText(t, e)
				require.NotContains(t, text, secret, i)
				require.NotContains(t, text, "1234567", i)
				require.Contains(t, text, audit.Redacted, i)
			}
		})
	}
}

func TestRedactedChangeStaysVisible(t *testing.T) {
	t.Parallel()
	m := audit.NewMemory(0)
	trail := logger(t, audit.Config{Sink: m})
	before := account{Password: "old " + secret, Headers: map[string][]string{"Cookie": {secret}, "Accept": {"a"}}}
	after := account{Password: "new " + secret, Headers: map[string][]string{"Cookie": {secret + "2"}, "Accept": {"b"}}}
	require.NoError(t, trail.Change(t.Context(), audit.Event{Action: "x"}, before, after))
	masked := json.RawMessage(`"[redacted]"`)
	require.Equal(t, []audit.Change{
		{Path: "/headers/Accept/0", Op: audit.OpReplace, Old: []byte(`"a"`), New: []byte(`"b"`)},
		{Path: "/headers/Cookie/0", Op: audit.OpReplace, Old: masked, New: masked},
		{Path: "/password", Op: audit.OpReplace, Old: masked, New: masked},
	}, m.Events()[0].Changes)
}

// The name of a pair is not in the path of its value: it is known from the document only.
func TestRedactedPairInAChange(t *testing.T) {
	t.Parallel()
	m := audit.NewMemory(0)
	pair := func(value string) any {
		return []any{map[string]any{"name": "X-Api-Key", "value": value}}
	}
	require.NoError(t, logger(t, audit.Config{Sink: m}).Change(t.Context(), audit.Event{Action: "x"}, pair(secret), pair("new"+secret)))
	require.Equal(t, []string{"/0/value"}, paths(m.Events()[0].Changes))
	require.NotContains(t, jsonText(t, m.Events()), secret)
}

func TestCallersChangesAreRedacted(t *testing.T) {
	t.Parallel()
	e := one(t, audit.Event{Action: "x", Changes: []audit.Change{
		{Path: "/password", Op: audit.OpReplace, Old: []byte(`null`), New: []byte(`"` + secret + `"`)},
		{Path: "/tokens/0", Op: audit.OpAdd, New: []byte(`"` + secret + `"`)},
		{Path: "/user", Op: audit.OpAdd, New: []byte(`{"name":"n","password":"` + secret + `"}`)},
	}})
	require.NotContains(t, jsonText(t, e), secret)
	require.JSONEq(t, `null`, string(e.Changes[0].Old), "that nothing was set is no secret")
	require.JSONEq(t, `{"name":"n","password":"[redacted]"}`, string(e.Changes[2].New))
}

func TestRedactedPath(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"/a":                                    "/a",
		"/a?x=1&y=2":                            "/a?x=1&y=2",
		"/a?token=" + secret + "&x=1":           "/a?token=[redacted]&x=1",
		"/a?x=1;access_token=" + secret:         "/a?x=1&access_token=[redacted]",
		"/a?%70assword=" + secret:               "/a?%70assword=[redacted]",
		"/a?%zz=" + secret:                      "/a?%zz=[redacted]",
		"/a?token":                              "/a?token=[redacted]",
		"/a?password=a=" + secret + "&session=": "/a?password=[redacted]&session=[redacted]",
	} {
		require.Equal(t, want, one(t, audit.Event{Action: "x", Request: audit.Request{Path: in}}).Request.Path)
	}
}

func TestRedactorOptions(t *testing.T) {
	t.Parallel()
	redacted := func(cfg audit.RedactConfig, data map[string]any) string {
		r, err := audit.NewRedactor(cfg)
		require.NoError(t, err)
		return jsonText(t, one(t, audit.Event{Action: "x", Data: data}, func(c *audit.Config) { c.Redactor = r }).Data)
	}
	require.JSONEq(t, `{"total_tokens":7,"token":"[redacted]","pin":"[redacted]","pinned":true,"ssn":"[redacted]"}`,
		redacted(audit.RedactConfig{Names: []string{"pin", "S-S-N"}, Allow: []string{"totalTokens"}},
			map[string]any{"total_tokens": 7, "token": "x", "pin": 1, "pinned": true, "ssn": 2}))
	require.JSONEq(t, `{"users":[{"tax":"[redacted]"},{"tax":"[redacted]"}],"tax":1}`,
		redacted(audit.RedactConfig{Paths: []string{"/users/*/tax"}},
			map[string]any{"tax": 1, "users": []any{map[string]any{"tax": 1}, map[string]any{"tax": 2}}}))
	require.JSONEq(t, `{"a":"[redacted]","b":"ok"}`,
		redacted(audit.RedactConfig{Match: func(_ string, v any) bool { return v == "sk_live" }},
			map[string]any{"a": "sk_live", "b": "ok"}))
	require.JSONEq(t, `{"a":[1]}`,
		redacted(audit.RedactConfig{Mode: audit.Drop}, map[string]any{"a": []int{1}, "password": secret}))
	key := bytes.Repeat([]byte{7}, 32)
	same := redacted(audit.RedactConfig{Mode: audit.Fingerprint, Key: key}, map[string]any{"password": secret})
	require.Regexp(t, `^{"password":"\[redacted:[0-9a-f]{16}\]"}$`, same)
	require.Equal(t, same, redacted(audit.RedactConfig{Mode: audit.Fingerprint, Key: key}, map[string]any{"password": secret}))
	require.NotEqual(t, same, redacted(audit.RedactConfig{Mode: audit.Fingerprint, Key: key}, map[string]any{"password": "other"}))
	require.JSONEq(t, `{"discard":"a","business":"b","keyboard":"c"}`,
		redacted(audit.RedactConfig{}, map[string]any{"discard": "a", "business": "b", "keyboard": "c"}))
}

func TestDroppedChangeKeepsItsPath(t *testing.T) {
	t.Parallel()
	r, err := audit.NewRedactor(audit.RedactConfig{Mode: audit.Drop})
	require.NoError(t, err)
	m := audit.NewMemory(0)
	trail := logger(t, audit.Config{Sink: m, Redactor: r})
	require.NoError(t, trail.Change(t.Context(), audit.Event{Action: "x"},
		map[string]any{"password": secret}, map[string]any{"password": "new"}))
	require.Equal(t, []audit.Change{{Path: "/password", Op: audit.OpReplace}}, m.Events()[0].Changes)
}

// No secret reaches any sink, whatever the data looks like.
func TestNoSecretInAnySink(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	names := []string{"password", "Secret", "x-api-key", "refreshToken", "AUTHORIZATION", "credit_card", "sessionid"}
	plain := []string{"a", "b/c", "d~e", "", "ключ", "0"}
	n := 0
	var random func(depth int, hidden bool) any
	random = func(depth int, hidden bool) any {
		switch pick := rng.IntN(7); {
		case pick < 3 && depth < 6:
			m := map[string]any{}
			for range 1 + rng.IntN(4) {
				if rng.IntN(3) == 0 {
					m[names[rng.IntN(len(names))]] = random(depth+1, true)
				} else {
					m[plain[rng.IntN(len(plain))]] = random(depth+1, hidden)
				}
			}
			return m
		case pick < 5 && depth < 6:
			var list []any
			for range rng.IntN(4) {
				list = append(list, random(depth+1, hidden))
			}
			return list
		case hidden:
			n++
			return fmt.Sprintf("%s-%d", secret, n)
		}
		return rng.IntN(3)
	}
	var text, lines bytes.Buffer
	m := audit.NewMemory(0)
	multi, err := audit.NewMulti(audit.MultiConfig{Targets: []audit.Target{
		{Name: "memory", Sink: m},
		{Name: "json", Sink: audit.NewSlog(slog.NewJSONHandler(&text, nil))},
		{Name: "text", Sink: audit.NewSlog(slog.NewTextHandler(&lines, nil))},
	}})
	require.NoError(t, err)
	trail := logger(t, audit.Config{Sink: multi})
	for range 300 {
		before, after := random(0, false), random(0, false)
		require.NoError(t, trail.Change(t.Context(), audit.Event{
			Action: "x", Data: map[string]any{"v": after, "token": before},
		}, before, after))
	}
	require.Greater(t, n, 500, "the data must hold secrets")
	for _, out := range []string{jsonText(t, m.Events()), text.String(), lines.String()} {
		require.False(t, strings.Contains(out, secret))
	}
}
