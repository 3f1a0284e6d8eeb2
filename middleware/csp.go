package middleware

import (
	"encoding/base64"
	"slices"
	"strings"
)

// cspPolicy is what Headers sends: one policy to enforce, one to report, either may be empty.
type cspPolicy struct{ enforce, report cspText }

func (p *cspPolicy) nonces() bool { return p.enforce.nonced() || p.report.nonced() }

// cspText is one policy, ready without a nonce and cut at the places of one.
type cspText struct {
	plain  string
	pieces []string
}

const nonceSource = "'nonce-{nonce}'"

func (t cspText) nonced() bool { return len(t.pieces) > 1 }

func (t cspText) with(nonce string) string {
	return strings.Join(t.pieces, "'nonce-"+nonce+"'")
}

// parseCSP checks a policy and prepares it for sending.
func parseCSP(f *faults, field, policy string) cspText {
	if policy == "" {
		return cspText{}
	}
	for _, reason := range checkCSP(policy) {
		f.add(field, policy, reason)
	}
	plain := strings.ReplaceAll(strings.ReplaceAll(policy, " "+nonceSource, ""), nonceSource, "")
	return cspText{plain: plain, pieces: strings.Split(policy, nonceSource)}
}

// checkCSP lists what is wrong with a policy. Browsers skip directives and sources they do not
// understand without a word, so each mistake here would leave a page unprotected or broken.
func checkCSP(policy string) []string {
	if !printableASCII(policy) {
		return []string{"must be one line of printable ASCII"}
	}
	if strings.Contains(policy, ",") {
		return []string{"must not contain a comma: it would begin a second policy"}
	}
	var reasons []string
	seen := map[string]bool{}
	directives := strings.Split(strings.TrimSuffix(strings.TrimSpace(policy), ";"), ";")
	for _, directive := range directives {
		words := strings.Fields(directive)
		if len(words) == 0 {
			reasons = append(reasons, "has an empty directive")
			continue
		}
		name, values := words[0], words[1:]
		if seen[name] {
			reasons = append(reasons, "repeats "+name+": browsers use the first only")
		}
		seen[name] = true
		switch {
		case isSourceList(name):
			reasons = append(reasons, checkSources(name, values)...)
		case name == "upgrade-insecure-requests" && len(values) > 0:
			reasons = append(reasons, name+" takes no value")
		case (name == "report-to" && len(values) != 1) || (name == "report-uri" && len(values) == 0):
			reasons = append(reasons, name+" needs a value")
		case name == "require-trusted-types-for" && !slices.Equal(values, []string{"'script'"}):
			reasons = append(reasons, name+" must be 'script'")
		case !isOtherDirective(name):
			reasons = append(reasons, "has an unknown directive "+name)
		}
	}
	return reasons
}

func isSourceList(name string) bool {
	switch name {
	case "default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem",
		"style-src-attr", "img-src", "font-src", "connect-src", "media-src", "object-src", "frame-src",
		"child-src", "worker-src", "manifest-src", "fenced-frame-src", "base-uri", "form-action",
		"frame-ancestors":
		return true
	}
	return false
}

func isOtherDirective(name string) bool {
	switch name {
	case "upgrade-insecure-requests", "report-to", "report-uri", "require-trusted-types-for", "trusted-types",
		"sandbox", "webrtc":
		return true
	}
	return false
}

func checkSources(name string, values []string) []string {
	var reasons []string
	if len(values) == 0 {
		reasons = append(reasons, name+" has no source; write 'none'")
	}
	for _, v := range values {
		if v == "'none'" && len(values) > 1 {
			reasons = append(reasons, name+" mixes 'none' with other sources")
		}
		if reason := checkSource(v); reason != "" {
			reasons = append(reasons, name+" "+reason)
		}
	}
	return reasons
}

func checkSource(v string) string {
	bare, quoted := v, false
	if len(v) > 2 && v[0] == '\'' && v[len(v)-1] == '\'' {
		bare, quoted = v[1:len(v)-1], true
	}
	switch {
	case isCSPKeyword(bare) && !quoted:
		return "has the unquoted keyword " + v
	case isCSPKeyword(bare):
		return ""
	case strings.HasPrefix(bare, "nonce-"):
		if v != nonceSource {
			return "has " + v + ": a fixed nonce protects nothing, write " + nonceSource
		}
		return ""
	case strings.HasPrefix(bare, "sha256-"), strings.HasPrefix(bare, "sha384-"), strings.HasPrefix(bare, "sha512-"):
		if !quoted || !validCSPHash(bare) {
			return "has the malformed hash " + v
		}
		return ""
	case strings.ContainsAny(v, "'\"{}<>\\"):
		return "has the malformed source " + v
	}
	return ""
}

func isCSPKeyword(s string) bool {
	switch s {
	case "none", "self", "unsafe-inline", "unsafe-eval", "unsafe-hashes", "strict-dynamic", "report-sample",
		"wasm-unsafe-eval", "inline-speculation-rules", "trusted-types-eval", "report-sha256", "report-sha384",
		"report-sha512", "unsafe-allow-redirects":
		return true
	}
	return false
}

// validCSPHash checks that the digest has the length its name says.
func validCSPHash(s string) bool {
	size := map[string]int{"sha256": 32, "sha384": 48, "sha512": 64}[s[:6]]
	raw, err := base64.StdEncoding.DecodeString(s[7:])
	return err == nil && len(raw) == size
}
