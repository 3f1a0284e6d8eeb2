// Package docs serves the API's description: the OpenAPI document as JSON and YAML, Swagger UI at
// /docs and Redoc at /redoc. Everything is embedded; the pages ask no other host for anything and run
// under a policy without unsafe-inline. The licences of the two bundles are in the folder licences.
package docs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed assets licences
var files embed.FS

const (
	// swaggerPolicy needs nothing inline.
	swaggerPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	// redocPolicy names the two style elements Redoc inserts: an empty one and one with fixed text.
	redocPolicy = "default-src 'none'; script-src 'self'; style-src 'self' " +
		"'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' " +
		"'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; img-src 'self' data:; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// JSON returns the document as it is checked in: indented, with a final line break. It is the same
// for the same operations.
func JSON(api huma.API) ([]byte, error) {
	plain, err := json.Marshal(api.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("docs: encode document: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, plain, "", "  "); err != nil {
		return nil, fmt.Errorf("docs: encode document: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Register adds the pages and the document to mux. Call it when all operations are registered.
func Register(mux *http.ServeMux, api huma.API) error {
	document, err := JSON(api)
	if err != nil {
		return err
	}
	yaml, err := api.OpenAPI().YAML()
	if err != nil {
		return fmt.Errorf("docs: encode document: %w", err)
	}
	mux.Handle("GET /openapi.json", newAsset(document, "application/json", ""))
	mux.Handle("GET /openapi.yaml", newAsset(yaml, "application/yaml", ""))
	for _, f := range []struct{ path, name, kind, policy string }{
		{"/docs", "docs.html", "text/html; charset=utf-8", swaggerPolicy},
		{"/docs/init.js", "docs.js", "text/javascript; charset=utf-8", ""},
		{"/docs/swagger-ui-bundle.js", "swagger-ui-bundle.js.gz", "text/javascript; charset=utf-8", ""},
		{"/docs/swagger-ui.css", "swagger-ui.css.gz", "text/css; charset=utf-8", ""},
		{"/redoc", "redoc.html", "text/html; charset=utf-8", redocPolicy},
		{"/redoc/init.js", "redoc.js", "text/javascript; charset=utf-8", ""},
		{"/redoc/redoc.standalone.js", "redoc.standalone.js.gz", "text/javascript; charset=utf-8", ""},
		{"/redoc/logo.svg", "logo.svg", "image/svg+xml", ""},
	} {
		content, err := files.ReadFile("assets/" + f.name)
		if err != nil {
			return fmt.Errorf("docs: %w", err)
		}
		asset := newAsset(content, f.kind, f.policy)
		asset.gzipped = strings.HasSuffix(f.name, ".gz")
		mux.Handle("GET "+f.path, asset)
	}
	return nil
}

// asset is one file with a strong entity tag.
type asset struct {
	content []byte
	kind    string
	policy  string // Content-Security-Policy, or "" for the server's own
	tag     string
	gzipped bool // content is packed
}

func newAsset(content []byte, kind, policy string) *asset {
	sum := sha256.Sum256(content)
	return &asset{content: content, kind: kind, policy: policy, tag: hex.EncodeToString(sum[:16])}
}

// ServeHTTP implements http.Handler.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content := a.content
	tag := `"` + a.tag + `"`
	h := w.Header()
	if a.gzipped {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			tag = `"` + a.tag + `-gzip"` // another representation has another strong tag
			h.Set("Content-Encoding", "gzip")
		} else {
			var err error
			if content, err = unpack(content); err != nil {
				panic("docs: embedded file is damaged: " + err.Error())
			}
		}
	}
	if a.policy != "" {
		h.Set("Content-Security-Policy", a.policy)
	}
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	if matches(r.Header.Values("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}

func unpack(packed []byte) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zr)
}

// acceptsGzip reports whether gzip is listed with a weight above zero.
func acceptsGzip(headers []string) bool {
	for item := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		coding, params, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		weight, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
		if !ok {
			return true
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		return err == nil && q > 0
	}
	return false
}

// matches is the weak comparison of If-None-Match (RFC 9110, section 13.1.2).
func matches(headers []string, tag string) bool {
	for item := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == tag {
			return true
		}
	}
	return false
}
