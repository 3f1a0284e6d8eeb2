// Package middlewaretest checks that a middleware leaves the response writer as able as it found it.
//
//	func TestCompress(t *testing.T) {
//		middlewaretest.TestWriter(t, compress.Middleware)
//	}
//
// It runs real servers over HTTP/1.1 and HTTP/2 and uses nothing but the standard library, so it adds
// nothing to the module of whoever runs it.
package middlewaretest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWriter runs mw around handlers that use everything a response writer of net/http can do, and
// fails for each ability that got lost or was made up. Subtests:
//
//   - interfaces: the writer has the optional interfaces it has without mw, no more and no fewer
//   - controller: deadlines, full duplex and flushing work through http.ResponseController
//   - duplex: a handler can answer while it still reads the request
//   - informational: a 103 reaches the client and is not taken for the answer
//   - head: an answer to HEAD has its headers and no body
//   - stream: what was flushed arrives before the handler returns
//   - copy: a body written from a reader arrives whole
//   - sendfile: a file reaches the connection as a file, where the system can send it (HTTP/1.1)
//   - hijack: a connection can be taken over (HTTP/1.1)
//
// A middleware that changes bodies, such as a compressor, fails copy and stream only if the client
// cannot undo the change by itself, and sendfile in any case.
func TestWriter(t *testing.T, mw func(http.Handler) http.Handler) {
	t.Helper()
	for _, proto := range []protocol{{name: "HTTP1"}, {name: "HTTP2", h2: true}} {
		t.Run(proto.name, func(t *testing.T) {
			t.Run("interfaces", func(t *testing.T) { testInterfaces(t, proto, mw) })
			t.Run("controller", func(t *testing.T) { testController(t, proto, mw) })
			t.Run("duplex", func(t *testing.T) { testDuplex(t, proto, mw) })
			t.Run("informational", func(t *testing.T) { testInformational(t, proto, mw) })
			t.Run("head", func(t *testing.T) { testHead(t, proto, mw) })
			t.Run("stream", func(t *testing.T) { testStream(t, proto, mw) })
			t.Run("copy", func(t *testing.T) { testCopy(t, proto, mw) })
			if !proto.h2 {
				t.Run("sendfile", func(t *testing.T) { testSendfile(t, mw) })
				t.Run("hijack", func(t *testing.T) { testHijack(t, proto, mw) })
			}
		})
	}
}

type protocol struct {
	name string
	h2   bool
}

func (p protocol) start(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	if p.h2 {
		srv.EnableHTTP2 = true
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv
}

// patience bounds everything that would otherwise wait forever.
const patience = 10 * time.Second

func fetch(t *testing.T, srv *httptest.Server, method string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := srv.Client()
	client.Timeout = patience
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// interfaces lists the optional interfaces of w.
func interfaces(w http.ResponseWriter) string {
	var has []string
	if _, ok := w.(http.Flusher); ok {
		has = append(has, "http.Flusher")
	}
	if _, ok := w.(interface{ FlushError() error }); ok {
		has = append(has, "FlushError")
	}
	if _, ok := w.(http.Hijacker); ok {
		has = append(has, "http.Hijacker")
	}
	if _, ok := w.(http.Pusher); ok {
		has = append(has, "http.Pusher")
	}
	if _, ok := w.(io.ReaderFrom); ok {
		has = append(has, "io.ReaderFrom")
	}
	if _, ok := w.(io.StringWriter); ok {
		has = append(has, "io.StringWriter")
	}
	return strings.Join(has, " ")
}

func testInterfaces(t *testing.T, p protocol, mw func(http.Handler) http.Handler) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, interfaces(w)) })
	_, want := fetch(t, p.start(t, h), http.MethodGet)
	_, got := fetch(t, p.start(t, mw(h)), http.MethodGet)
	if got != want {
		t.Errorf("the writer has %q, without the middleware it has %q", got, want)
	}
}

func testController(t *testing.T, p protocol, mw func(http.Handler) http.Handler) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Errorf("SetReadDeadline: %v", err)
		}
		if err := c.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			t.Errorf("SetWriteDeadline: %v", err)
		}
		if err := c.EnableFullDuplex(); err != nil {
			t.Errorf("EnableFullDuplex: %v", err)
		}
		if err := c.Flush(); err != nil {
			t.Errorf("Flush: %v", err)
		}
	})
	fetch(t, p.start(t, mw(h)), http.MethodGet)
}

func testDuplex(t *testing.T, p protocol, mw func(http.Handler) http.Handler) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	srv := p.start(t, mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			t.Errorf("EnableFullDuplex: %v", err)
			cancel() // or the server would wait for the rest of the request
			return
		}
		_ = c.Flush()
		lines := bufio.NewReader(r.Body)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = io.WriteString(w, line)
			_ = c.Flush()
		}
	})))
	body, feed := io.Pipe()
	defer feed.Close()
	stop := context.AfterFunc(ctx, func() { _ = body.CloseWithError(ctx.Err()) }) // the client waits for its own writes
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for range 3 {
		if _, err := io.WriteString(feed, "ping\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := lines.ReadString('\n'); err != nil || line != "ping\n" {
			t.Fatalf("read %q, %v while the request went on", line, err)
		}
	}
}

func testInformational(t *testing.T, p protocol, mw func(http.Handler) http.Handler) {
	srv := p.start(t, mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusAccepted)
	})))
	var early []int
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		early = append(early, code)
		return nil
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(early) != 1 || early[0] != http.StatusEarlyHints {
		t.Errorf("the client saw %v before the answer, want one 103", early)
	}
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("the client got %d, want 202", resp.StatusCode)
	}
}

func testHead(t *testing.T, p protocol, mw func(http.Handler) http.Handler) {
	resp, body := fetch(t, p.start(t, mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Test", "1")
		_, _ = io.WriteString(w, "body")
	}))), http.MethodHead)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Test") != "1" || body != "" {
		t.Errorf("got %d, header %q and body %q, want 200, \"1\" and none",
			resp.StatusCode, resp.Header.Get("X-Test"), body)
	}
}

func testStream(t *testing.T, p protocol, mw func(http.Handler) http.Handler) {
	seen, returned := make(chan struct{}), make(chan struct{})
	srv := p.start(t, mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(returned)
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			_, _ = io.WriteString(w, "data: x\n")
			if err := http.NewResponseController(w).Flush(); err != nil {
				return // the client reports it
			}
			select {
			case <-seen:
			case <-r.Context().Done():
				return
			}
		}
	})))
	client := srv.Client()
	client.Timeout = patience
	resp, err := client.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for range 3 {
		if line, err := lines.ReadString('\n'); err != nil || line != "data: x\n" {
			t.Fatalf("read %q, %v before the handler went on", line, err)
		}
		select {
		case seen <- struct{}{}:
		case <-returned:
			t.Fatal("the handler returned too early")
		}
	}
}

func testCopy(t *testing.T, p protocol, mw func(http.Handler) http.Handler) {
	want := strings.Repeat("0123456789abcdef", 1<<14)
	_, got := fetch(t, p.start(t, mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n, err := io.Copy(w, struct{ io.Reader }{strings.NewReader(want)})
		if err != nil || n != int64(len(want)) {
			t.Errorf("io.Copy wrote %d bytes, %v", n, err)
		}
	}))), http.MethodGet)
	if got != want {
		t.Errorf("%d bytes arrived, %d were sent", len(got), len(want))
	}
}

func testSendfile(t *testing.T, mw func(http.Handler) http.Handler) {
	const size = 1 << 18
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, path)
	})))
	sources := make(chan io.Reader, 16)
	srv.Listener = spyListener{srv.Listener, sources}
	srv.Start()
	t.Cleanup(srv.Close)
	if _, body := fetch(t, srv, http.MethodGet); len(body) != size {
		t.Errorf("%d bytes arrived, %d were sent", len(body), size)
	}
	select {
	case src := <-sources:
		limited, ok := src.(*io.LimitedReader)
		if !ok {
			t.Errorf("the connection was given a %T, want an *io.LimitedReader of the file", src)
		} else if _, ok := limited.R.(*os.File); !ok {
			t.Errorf("the connection was given a reader of %T, want *os.File", limited.R)
		}
	default:
		t.Error("the connection's ReadFrom was not used")
	}
}

// spyListener hands out connections that report what they are asked to read from.
type spyListener struct {
	net.Listener
	sources chan<- io.Reader
}

// Accept implements net.Listener.
func (l spyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &spyConn{Conn: conn, sources: l.sources}, nil
}

type spyConn struct {
	net.Conn
	sources chan<- io.Reader
}

// ReadFrom implements io.ReaderFrom, as net.TCPConn does.
func (c *spyConn) ReadFrom(src io.Reader) (int64, error) {
	select {
	case c.sources <- src:
	default: // one is enough
	}
	return c.Conn.(io.ReaderFrom).ReadFrom(src)
}

func testHijack(t *testing.T, p protocol, mw func(http.Handler) http.Handler) {
	srv := p.start(t, mw(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("Hijack: %v", err)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString(line)
		_ = rw.Flush()
	})))
	conn, err := net.DialTimeout("tcp", srv.Listener.Addr().String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+srv.Listener.Addr().String()+
		"\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	rd := bufio.NewReader(conn)
	resp, err := http.ReadResponse(rd, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %d, want 101", resp.StatusCode)
	}
	_, _ = io.WriteString(conn, "ping\n")
	if line, err := rd.ReadString('\n'); err != nil || line != "ping\n" {
		t.Errorf("read %q, %v through the upgraded connection", line, err)
	}
}
