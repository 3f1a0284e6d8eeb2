package middleware

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
)

// core records what happens to a response while passing every call on unchanged.
type core struct {
	w        http.ResponseWriter
	ctx      context.Context // the request's, to see whether the client left before the answer
	status   int32           // final status; 0 until there is one. 101 after Hijack
	bytes    int64           // body bytes accepted; none for HEAD
	head     bool
	hijacked bool
	late     bool // the client had gone when the status was written
}

// recorder is the plain view of a core. Views that add interfaces have the same underlying type, so
// that converting between their pointers costs nothing and all share one object.
type recorder struct{ core }

// view is implemented by every view and by nothing else.
type view interface {
	http.ResponseWriter
	recorder() *core
}

func (c *core) recorder() *core { return c }

// Header implements http.ResponseWriter.
func (c *core) Header() http.Header { return c.w.Header() }

// Unwrap gives http.ResponseController the deadlines and full duplex of the writer below.
func (c *core) Unwrap() http.ResponseWriter { return c.w }

// Write implements http.ResponseWriter.
func (c *core) Write(b []byte) (int, error) {
	c.begin(http.StatusOK)
	n, err := c.w.Write(b)
	c.count(int64(n))
	return n, err
}

// WriteHeader implements http.ResponseWriter. The call below comes first: net/http panics on an
// invalid code, and then nothing was written.
func (c *core) WriteHeader(status int) {
	c.w.WriteHeader(status)
	if status < 100 || status > 199 || status == http.StatusSwitchingProtocols {
		c.begin(status)
	}
}

func (c *core) begin(status int) {
	if c.status == 0 {
		c.status = int32(status)
		c.late = errors.Is(c.ctx.Err(), context.Canceled)
	}
}

func (c *core) count(n int64) {
	if !c.head && n > 0 {
		c.bytes += n
	}
}

func (c *core) writeString(s string) (int, error) {
	c.begin(http.StatusOK)
	n, err := io.WriteString(c.w, s)
	c.count(int64(n))
	return n, err
}

func (c *core) readFrom(src io.Reader) (int64, error) {
	c.begin(http.StatusOK)
	n, err := c.w.(io.ReaderFrom).ReadFrom(src)
	c.count(n)
	return n, err
}

func (c *core) flush() error {
	c.begin(http.StatusOK)
	if f, ok := c.w.(interface{ FlushError() error }); ok {
		return f.FlushError()
	}
	c.w.(http.Flusher).Flush()
	return nil
}

func (c *core) hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := c.w.(http.Hijacker).Hijack()
	if err == nil {
		c.begin(http.StatusSwitchingProtocols)
		c.hijacked = true
	}
	return conn, rw, err
}

func (c *core) push(target string, opts *http.PushOptions) error {
	return c.w.(http.Pusher).Push(target, opts)
}

// outcome is what the log and the metrics call the status: the one that was sent, else 499 when the
// client left first, 200 when the handler returned, 444 when it aborted on purpose, 500 when it panicked
// or ended its goroutine.
func (s *state) outcome(returned, abort bool) int {
	gone := s.gone()
	switch {
	case s.rec.status != 0 && s.rec.late, s.rec.status == 0 && gone:
		return StatusClientClosed
	case s.rec.status != 0:
		return int(s.rec.status)
	case returned:
		return http.StatusOK
	case abort:
		return StatusAborted
	}
	return http.StatusInternalServerError
}

// gone reports whether the client has left.
func (s *state) gone() bool { return errors.Is(s.Err(), context.Canceled) }
