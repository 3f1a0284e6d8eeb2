package middleware_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/middleware"
)

// abilities lists what a writer can do, by assertion and through ResponseController.
func abilities(w http.ResponseWriter) string {
	var list []string
	add := func(name string, ok bool) {
		if ok {
			list = append(list, name)
		}
	}
	_, can := w.(http.Flusher)
	add("Flusher", can)
	_, can = w.(interface{ FlushError() error })
	add("FlushError", can)
	_, can = w.(http.Hijacker)
	add("Hijacker", can)
	_, can = w.(http.Pusher)
	add("Pusher", can)
	_, can = w.(io.ReaderFrom)
	add("ReaderFrom", can)
	_, can = w.(io.StringWriter)
	add("StringWriter", can)
	c := http.NewResponseController(w)
	add("read deadline", c.SetReadDeadline(time.Now().Add(time.Minute)) == nil)
	add("write deadline", c.SetWriteDeadline(time.Now().Add(time.Minute)) == nil)
	add("full duplex", c.EnableFullDuplex() == nil)
	return strings.Join(list, ", ")
}

// Behind every middleware, and behind all of them, a writer can do what net/http's own can.
func TestWriterKeepsItsInterfaces(t *testing.T) {
	t.Parallel()
	list := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, abilities(w)) })
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		resp, want := get(t, start(list), "/")
		if resp.ProtoMajor == 2 {
			require.Equal(t, "Flusher, FlushError, Pusher, StringWriter, read deadline, write deadline, full duplex", want)
		} else {
			require.Equal(t, "Flusher, FlushError, Hijacker, ReaderFrom, StringWriter, read deadline, write deadline, full duplex", want)
		}
		for name, mw := range everyPart() {
			_, got := get(t, start(mw(list)), "/")
			require.Equal(t, want, got, name)
		}
	})
}

// writer pieces with recognisable results, to build every combination from.
type (
	flushes struct{}
	hijacks struct{}
	pushes  struct{}
	reads   struct{}
	strs    struct{}
)

func (flushes) Flush()                                       {}
func (hijacks) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }
func (pushes) Push(string, *http.PushOptions) error          { return http.ErrNotSupported }
func (reads) ReadFrom(r io.Reader) (int64, error)            { return io.Copy(io.Discard, r) }
func (strs) WriteString(s string) (int, error)               { return len(s), nil }

// Every combination of optional interfaces gets the view with the same combination, and each method
// reaches the writer below.
func TestEveryCombinationOfInterfaces(t *testing.T) {
	t.Parallel()
	base := struct{ http.ResponseWriter }{httptest.NewRecorder()}
	type RW = http.ResponseWriter
	type F = http.Flusher
	type H = http.Hijacker
	type P = http.Pusher
	type R = io.ReaderFrom
	type S = io.StringWriter
	f, h, p, r, s := flushes{}, hijacks{}, pushes{}, reads{}, strs{}
	writers := []http.ResponseWriter{
		base,
		struct {
			RW
			F
		}{base, f},
		struct {
			RW
			H
		}{base, h},
		struct {
			RW
			P
		}{base, p},
		struct {
			RW
			R
		}{base, r},
		struct {
			RW
			S
		}{base, s},
		struct {
			RW
			F
			H
		}{base, f, h},
		struct {
			RW
			F
			P
		}{base, f, p},
		struct {
			RW
			F
			R
		}{base, f, r},
		struct {
			RW
			F
			S
		}{base, f, s},
		struct {
			RW
			H
			P
		}{base, h, p},
		struct {
			RW
			H
			R
		}{base, h, r},
		struct {
			RW
			H
			S
		}{base, h, s},
		struct {
			RW
			P
			R
		}{base, p, r},
		struct {
			RW
			P
			S
		}{base, p, s},
		struct {
			RW
			R
			S
		}{base, r, s},
		struct {
			RW
			F
			H
			P
		}{base, f, h, p},
		struct {
			RW
			F
			H
			R
		}{base, f, h, r},
		struct {
			RW
			F
			H
			S
		}{base, f, h, s},
		struct {
			RW
			F
			P
			R
		}{base, f, p, r},
		struct {
			RW
			F
			P
			S
		}{base, f, p, s},
		struct {
			RW
			F
			R
			S
		}{base, f, r, s},
		struct {
			RW
			H
			P
			R
		}{base, h, p, r},
		struct {
			RW
			H
			P
			S
		}{base, h, p, s},
		struct {
			RW
			H
			R
			S
		}{base, h, r, s},
		struct {
			RW
			P
			R
			S
		}{base, p, r, s},
		struct {
			RW
			F
			H
			P
			R
		}{base, f, h, p, r},
		struct {
			RW
			F
			H
			P
			S
		}{base, f, h, p, s},
		struct {
			RW
			F
			H
			R
			S
		}{base, f, h, r, s},
		struct {
			RW
			F
			P
			R
			S
		}{base, f, p, r, s},
		struct {
			RW
			H
			P
			R
			S
		}{base, h, p, r, s},
		struct {
			RW
			F
			H
			P
			R
			S
		}{base, f, h, p, r, s},
	}
	require.Len(t, writers, 32)
	for _, w := range writers {
		want := strings.Replace(abilities(w), "Flusher", "Flusher, FlushError", 1)
		var got string
		middleware.Recover(middleware.RecoverConfig{})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			got = abilities(w)
			if x, ok := w.(F); ok {
				x.Flush()
				require.NoError(t, w.(interface{ FlushError() error }).FlushError())
			}
			if x, ok := w.(S); ok {
				n, err := x.WriteString("abc")
				require.Equal(t, 3, n)
				require.NoError(t, err)
			}
			if x, ok := w.(R); ok {
				n, err := x.ReadFrom(strings.NewReader("abcd"))
				require.EqualValues(t, 4, n)
				require.NoError(t, err)
			}
			if x, ok := w.(P); ok {
				require.ErrorIs(t, x.Push("/x", nil), http.ErrNotSupported)
			}
			if x, ok := w.(H); ok {
				_, _, err := x.Hijack()
				require.NoError(t, err)
			}
		})).ServeHTTP(w, request("GET", "/"))
		require.Equal(t, want, got)
	}
}

// An event is written only when the client has seen the one before, so nothing on the way can be holding
// one back. Each takes less than 50 ms; a busy machine gets several tries.
func TestServerSentEventsArriveOneByOne(t *testing.T) {
	t.Parallel()
	protocols(t, func(t *testing.T, start func(http.Handler) *httptest.Server) {
		seen, sent := make(chan struct{}), make(chan time.Time, 1)
		srv := start(shell(slog.DiscardHandler)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			for n := range 3 {
				sent <- time.Now()
				fmt.Fprintf(w, "data: %d\n\n", n)
				_ = http.NewResponseController(w).Flush()
				select {
				case <-seen:
				case <-r.Context().Done():
					return
				}
			}
		})))
		try := func() (slowest time.Duration) {
			resp, err := srv.Client().Get(srv.URL)
			require.NoError(t, err)
			defer resp.Body.Close()
			lines := bufio.NewReader(resp.Body)
			for n := range 3 {
				line, err := lines.ReadString('\n')
				require.NoError(t, err)
				slowest = max(slowest, time.Since(<-sent))
				require.Equal(t, fmt.Sprintf("data: %d\n", n), line)
				_, err = lines.ReadString('\n')
				require.NoError(t, err)
				seen <- struct{}{}
			}
			return slowest
		}
		slowest := try()
		for tries := 1; slowest > 50*time.Millisecond && tries < 20; tries++ {
			slowest = try()
		}
		require.LessOrEqual(t, slowest, 50*time.Millisecond)
	})
}

// What a WebSocket does: the handler takes the connection over and both sides talk.
func TestUpgradeThroughTheStack(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(shell(slog.DiscardHandler)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString(line)
		_ = rw.Flush()
	})))
	t.Cleanup(srv.Close)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	require.NoError(t, err)
	rd := bufio.NewReader(conn)
	resp, err := http.ReadResponse(rd, nil)
	require.NoError(t, err)
	require.Equal(t, 101, resp.StatusCode)
	_, err = io.WriteString(conn, "ping\n")
	require.NoError(t, err)
	line, err := rd.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ping\n", line)
}

// A file must reach the connection's own ReadFrom as a file, for there is sendfile.
func TestFilesReachTheConnection(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	content := strings.Repeat("0123456789abcdef", 1<<16)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	log := &records{}
	srv := httptest.NewUnstartedServer(shell(log.handler())(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, path) })))
	sources := make(chan io.Reader, 10)
	srv.Listener = spyListener{srv.Listener, sources}
	srv.Start()
	t.Cleanup(srv.Close)
	_, body := get(t, srv, "/")
	require.True(t, body == content)
	select {
	case src := <-sources:
		limited, is := src.(*io.LimitedReader)
		require.True(t, is, "%T", src)
		require.IsType(t, &os.File{}, limited.R)
	default:
		t.Fatal("the connection's ReadFrom was not used")
	}
	srv.Close()
	require.EqualValues(t, len(content), log.one(t)["bytes"])
}

// spyListener hands out connections that report what they are asked to read from.
type spyListener struct {
	net.Listener
	sources chan<- io.Reader
}

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

func (c *spyConn) ReadFrom(src io.Reader) (int64, error) {
	c.sources <- src
	return c.Conn.(io.ReaderFrom).ReadFrom(src)
}
