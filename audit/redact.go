package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Redactor masks secrets in changes, data and query strings before an event leaves the goroutine
// of its caller. It looks at names and never tries to recognise a secret by its looks: a secret
// in a free text such as Event.Reason stays. It is safe for concurrent use.
type Redactor struct {
	anywhere []string // at least five letters: match inside a name
	words    []string // shorter: match whole words of a name
	allow    map[string]bool
	paths    [][]string
	match    func(path string, value any) bool
	mode     Mode
	key      []byte
}

// RedactConfig describes a [Redactor]. The zero value masks the default names.
type RedactConfig struct {
	// Names are masked in addition to the default ones: password, passwd, passphrase, passcode,
	// secret, token, api_key, authorization, bearer, cookie, credential, private_key, session,
	// card, card_number, credit_card, cvv, cvc, otp. Case, dashes and underscores do not count. A
	// name of five letters or more matches inside another (new_password, accessToken), a shorter
	// one matches whole words (card in card_holder, not in discard).
	Names []string
	// Allow are full names that stay readable although they match, such as "total_tokens".
	Allow []string
	// Paths are masked too: JSON pointers in which * stands for any one step. In Data the first
	// step is the key.
	Paths []string
	// Match masks whatever it returns true for. Path is a JSON pointer; value is a map[string]any,
	// []any, string, bool, nil or [json.Number] and must not be changed.
	Match func(path string, value any) bool
	// Mode is what stands in for a secret. Default Mask.
	Mode Mode
	// Key makes fingerprints: at least 32 bytes. Required for Fingerprint.
	Key []byte
}

// Mode is what stands in for a secret.
type Mode int

// The modes. A masked change keeps its path and operation in each of them.
const (
	Mask        Mode = iota // [Redacted]
	Fingerprint             // a keyed hash, so that equal secrets can be recognised
	Drop                    // nothing
)

// Redacted stands in for a masked value.
const Redacted = "[redacted]"

// NewRedactor returns a Redactor. The error joins a [*ConfigError] for each fault.
func NewRedactor(cfg RedactConfig) (*Redactor, error) {
	r := defaultRedactor()
	var faults []error
	fault := func(field string, value any, reason string) {
		faults = append(faults, &ConfigError{Field: field, Value: value, Reason: reason})
	}
	for _, name := range cfg.Names {
		if foldName(name) == "" {
			fault("Names", name, "holds no letter or digit")
			continue
		}
		r.add(name)
	}
	for _, name := range cfg.Allow {
		r.allow[foldName(name)] = true
	}
	for _, path := range cfg.Paths {
		if !strings.HasPrefix(path, "/") {
			fault("Paths", path, "must begin with /")
			continue
		}
		r.paths = append(r.paths, strings.Split(path[1:], "/"))
	}
	if cfg.Mode < Mask || cfg.Mode > Drop {
		fault("Mode", int(cfg.Mode), "is unknown")
	}
	if cfg.Mode == Fingerprint && len(cfg.Key) < 32 {
		fault("Key", nil, "must have at least 32 bytes")
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	r.match, r.mode, r.key = cfg.Match, cfg.Mode, slices.Clone(cfg.Key)
	return r, nil
}

func defaultRedactor() *Redactor {
	r := &Redactor{allow: map[string]bool{}}
	for _, name := range []string{
		"password", "passwd", "passphrase", "passcode", "secret", "token", "api_key", "authorization",
		"bearer", "cookie", "credential", "private_key", "session", "card", "card_number", "credit_card",
		"cvv", "cvc", "otp",
	} {
		r.add(name)
	}
	return r
}

func (r *Redactor) add(name string) {
	if name = foldName(name); len(name) >= 5 {
		r.anywhere = append(r.anywhere, name)
	} else {
		r.words = append(r.words, name)
	}
}

// foldName keeps letters and digits, in one case.
func foldName(name string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(c))
	}, name)
}

func (r *Redactor) secretName(name string) bool {
	folded := foldName(name)
	if r.allow[folded] {
		return false
	}
	for _, secret := range r.anywhere {
		if strings.Contains(folded, secret) {
			return true
		}
	}
	if !slices.ContainsFunc(r.words, func(word string) bool { return strings.Contains(folded, word) }) {
		return false
	}
	for _, word := range words(name) {
		if slices.Contains(r.words, word) || slices.Contains(r.words, strings.TrimSuffix(word, "s")) {
			return true
		}
	}
	return false
}

// words splits card_holder, card-holder, cardHolder and "card holder".
func words(name string) []string {
	var list []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			list = append(list, foldName(string(word)))
			word = word[:0]
		}
	}
	lower := false
	for _, c := range name {
		switch {
		case !unicode.IsLetter(c) && !unicode.IsDigit(c):
			end()
		case unicode.IsUpper(c) && lower:
			end()
			word = append(word, c)
		default:
			word = append(word, c)
		}
		lower = unicode.IsLower(c)
	}
	end()
	return list
}

// secretPath reports whether the last step of path, or the whole path, names a secret.
func (r *Redactor) secretPath(path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	if r.secretName(unescapeKey(last)) {
		return true
	}
	if len(r.paths) == 0 {
		return false
	}
	steps := strings.Split(strings.TrimPrefix(path, "/"), "/")
	return slices.ContainsFunc(r.paths, func(pattern []string) bool {
		return slices.EqualFunc(pattern, steps, func(p, s string) bool { return p == "*" || p == s })
	})
}

// secrets adds the paths of all secrets in tree to found. It sees whole documents, so it also
// knows the value of a {"name": "Authorization", "value": …} pair for what it is.
func (r *Redactor) secrets(tree any, path string, found map[string]bool) {
	if path != "" && r.secretPath(path) || r.match != nil && r.match(path, tree) {
		found[path] = true
		return
	}
	switch node := tree.(type) {
	case map[string]any:
		if r.namesSecret(node) {
			for _, k := range []string{"value", "values", "Value", "Values"} {
				found[path+"/"+k] = true
			}
		}
		for k, child := range node {
			r.secrets(child, path+"/"+escapeKey(k), found)
		}
	case []any:
		for i, child := range node {
			r.secrets(child, indexPath(path, i), found)
		}
	}
}

// namesSecret reports whether an object is a name-and-value pair with the name of a secret.
func (r *Redactor) namesSecret(node map[string]any) bool {
	for _, k := range []string{"name", "key", "header", "field", "Name", "Key", "Header", "Field"} {
		if name, ok := node[k].(string); ok && r.secretName(name) {
			return true
		}
	}
	return false
}

// maskTree replaces what found names. It changes tree and returns what takes its place; keep is
// false when nothing does.
func (r *Redactor) maskTree(tree any, path string, found map[string]bool) (masked any, keep bool) {
	if found[path] {
		if tree == nil {
			return nil, true // that a secret is not set is no secret
		}
		return r.standIn(tree), r.mode != Drop
	}
	switch node := tree.(type) {
	case map[string]any:
		for k, child := range node {
			if child, keep := r.maskTree(child, path+"/"+escapeKey(k), found); keep {
				node[k] = child
			} else {
				delete(node, k)
			}
		}
	case []any:
		for i, child := range node {
			node[i], _ = r.maskTree(child, indexPath(path, i), found)
		}
	}
	return tree, true
}

func (r *Redactor) standIn(tree any) any {
	switch r.mode {
	case Fingerprint:
		mac := hmac.New(sha256.New, r.key)
		mac.Write(encode(tree))
		return "[redacted:" + hex.EncodeToString(mac.Sum(nil)[:8]) + "]"
	case Drop:
		return nil
	}
	return Redacted
}

// difference is a list of raw changes with the paths of the secrets in both documents.
type difference struct {
	changes []Change
	secret  map[string]bool
}

// diff compares two values and remembers where their secrets are. It treats a missing side as an
// object without members.
func (r *Redactor) diff(before, after any) (d *difference, err error) {
	a, err := toTree(before)
	if err != nil {
		return nil, err
	}
	b, err := toTree(after)
	if err != nil {
		return nil, err
	}
	d = &difference{secret: map[string]bool{}}
	defer recoverRedactor(&err)
	for _, side := range []struct{ value, tree any }{{before, a}, {after, b}} {
		taggedPaths(side.value, "", d.secret)
		r.secrets(side.tree, "", d.secret)
	}
	if _, object := b.(map[string]any); object && a == nil {
		a = map[string]any{}
	}
	if _, object := a.(map[string]any); object && b == nil {
		b = map[string]any{}
	}
	d.changes = diffTrees(nil, "", a, b)
	return d, nil
}

// mask returns copies of changes without their secrets, cleaned and limited.
func (r *Redactor) mask(changes []Change, d *difference, limits Limits, truncated *bool) []Change {
	var masked []Change
	for _, c := range changes {
		found := map[string]bool{}
		if d != nil {
			found = d.secret
		}
		hidden := r.hides(c.Path, found)
		out := Change{Op: c.Op, Path: limits.line(c.Path, pathBytes, truncated)}
		out.Old = r.maskValue(c.Old, c.Path, hidden, found, d == nil, limits, truncated)
		out.New = r.maskValue(c.New, c.Path, hidden, found, d == nil, limits, truncated)
		masked = append(masked, out)
	}
	return masked
}

// hides reports whether the value at path or something around it is a secret.
func (r *Redactor) hides(path string, found map[string]bool) bool {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '/') {
		if found[path[:end]] || r.secretPath(path[:end]) {
			return true
		}
	}
	return found[""]
}

func (r *Redactor) maskValue(
	raw json.RawMessage, path string, hidden bool, found map[string]bool, search bool, limits Limits, truncated *bool,
) json.RawMessage {
	if raw == nil {
		return nil
	}
	tree, err := parseTree(raw)
	if err != nil {
		*truncated = true
		return encode(unencodable)
	}
	if hidden {
		found = map[string]bool{path: true}
	} else if search {
		r.secrets(tree, path, found)
	}
	tree, keep := r.maskTree(tree, path, found)
	if !keep {
		return nil
	}
	return encode(limits.value(tree, truncated))
}

// data returns a masked, cleaned and limited copy of data.
func (r *Redactor) data(data map[string]any, limits Limits, truncated *bool) map[string]any {
	if len(data) == 0 {
		return nil
	}
	out := make(map[string]any, len(data))
	for k, v := range data {
		tree, err := toTree(v)
		if err != nil {
			tree, *truncated = unencodable, true
		}
		path, found := "/"+escapeKey(k), map[string]bool{}
		taggedPaths(v, path, found)
		r.secrets(tree, path, found)
		if tree, keep := r.maskTree(tree, path, found); keep {
			out[limits.line(k, nameBytes, truncated)] = limits.value(tree, truncated)
		}
	}
	return out
}

// path masks the secret parameters of a request target.
func (r *Redactor) path(target string) string {
	path, query, has := strings.Cut(target, "?")
	if !has {
		return target
	}
	var kept []string
	for _, pair := range strings.FieldsFunc(query, func(c rune) bool { return c == '&' || c == ';' }) {
		key, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(key)
		if err == nil && !r.secretPath("/"+escapeKey(name)) && (r.match == nil || !r.match("/"+escapeKey(name), value)) {
			kept = append(kept, pair)
		} else if r.mode != Drop {
			kept = append(kept, key+"="+r.standIn(value).(string))
		}
	}
	return path + "?" + strings.Join(kept, "&")
}

func pathOnly(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}
