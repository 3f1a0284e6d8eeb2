package middleware

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// The views below add to a recorder exactly the optional interfaces the writer underneath has, so
// that a type assertion gives the same answer with and without this package: an HTTP/2 writer must
// not look like a Hijacker, and a file must still be sent with sendfile. The letters of a name say
// which: F Flusher and FlushError, H Hijacker, P Pusher, R ReaderFrom, S StringWriter.

const (
	canFlush = 1 << iota
	canHijack
	canPush
	canReadFrom
	canWriteString
)

// view picks the view that matches the writer.
func (rec *recorder) view() http.ResponseWriter {
	set := 0
	if _, ok := rec.w.(http.Flusher); ok {
		set |= canFlush
	}
	if _, ok := rec.w.(http.Hijacker); ok {
		set |= canHijack
	}
	if _, ok := rec.w.(http.Pusher); ok {
		set |= canPush
	}
	if _, ok := rec.w.(io.ReaderFrom); ok {
		set |= canReadFrom
	}
	if _, ok := rec.w.(io.StringWriter); ok {
		set |= canWriteString
	}
	switch set {
	case canFlush:
		return (*viewF)(rec)
	case canHijack:
		return (*viewH)(rec)
	case canFlush | canHijack:
		return (*viewFH)(rec)
	case canPush:
		return (*viewP)(rec)
	case canFlush | canPush:
		return (*viewFP)(rec)
	case canHijack | canPush:
		return (*viewHP)(rec)
	case canFlush | canHijack | canPush:
		return (*viewFHP)(rec)
	case canReadFrom:
		return (*viewR)(rec)
	case canFlush | canReadFrom:
		return (*viewFR)(rec)
	case canHijack | canReadFrom:
		return (*viewHR)(rec)
	case canFlush | canHijack | canReadFrom:
		return (*viewFHR)(rec)
	case canPush | canReadFrom:
		return (*viewPR)(rec)
	case canFlush | canPush | canReadFrom:
		return (*viewFPR)(rec)
	case canHijack | canPush | canReadFrom:
		return (*viewHPR)(rec)
	case canFlush | canHijack | canPush | canReadFrom:
		return (*viewFHPR)(rec)
	case canWriteString:
		return (*viewS)(rec)
	case canFlush | canWriteString:
		return (*viewFS)(rec)
	case canHijack | canWriteString:
		return (*viewHS)(rec)
	case canFlush | canHijack | canWriteString:
		return (*viewFHS)(rec)
	case canPush | canWriteString:
		return (*viewPS)(rec)
	case canFlush | canPush | canWriteString:
		return (*viewFPS)(rec)
	case canHijack | canPush | canWriteString:
		return (*viewHPS)(rec)
	case canFlush | canHijack | canPush | canWriteString:
		return (*viewFHPS)(rec)
	case canReadFrom | canWriteString:
		return (*viewRS)(rec)
	case canFlush | canReadFrom | canWriteString:
		return (*viewFRS)(rec)
	case canHijack | canReadFrom | canWriteString:
		return (*viewHRS)(rec)
	case canFlush | canHijack | canReadFrom | canWriteString:
		return (*viewFHRS)(rec)
	case canPush | canReadFrom | canWriteString:
		return (*viewPRS)(rec)
	case canFlush | canPush | canReadFrom | canWriteString:
		return (*viewFPRS)(rec)
	case canHijack | canPush | canReadFrom | canWriteString:
		return (*viewHPRS)(rec)
	case canFlush | canHijack | canPush | canReadFrom | canWriteString:
		return (*viewFHPRS)(rec)
	}
	return rec
}

type (
	viewF     struct{ core }
	viewH     struct{ core }
	viewFH    struct{ core }
	viewP     struct{ core }
	viewFP    struct{ core }
	viewHP    struct{ core }
	viewFHP   struct{ core }
	viewR     struct{ core }
	viewFR    struct{ core }
	viewHR    struct{ core }
	viewFHR   struct{ core }
	viewPR    struct{ core }
	viewFPR   struct{ core }
	viewHPR   struct{ core }
	viewFHPR  struct{ core }
	viewS     struct{ core }
	viewFS    struct{ core }
	viewHS    struct{ core }
	viewFHS   struct{ core }
	viewPS    struct{ core }
	viewFPS   struct{ core }
	viewHPS   struct{ core }
	viewFHPS  struct{ core }
	viewRS    struct{ core }
	viewFRS   struct{ core }
	viewHRS   struct{ core }
	viewFHRS  struct{ core }
	viewPRS   struct{ core }
	viewFPRS  struct{ core }
	viewHPRS  struct{ core }
	viewFHPRS struct{ core }
)

func (v *viewF) Flush()     { _ = v.flush() }
func (v *viewFH) Flush()    { _ = v.flush() }
func (v *viewFP) Flush()    { _ = v.flush() }
func (v *viewFHP) Flush()   { _ = v.flush() }
func (v *viewFR) Flush()    { _ = v.flush() }
func (v *viewFHR) Flush()   { _ = v.flush() }
func (v *viewFPR) Flush()   { _ = v.flush() }
func (v *viewFHPR) Flush()  { _ = v.flush() }
func (v *viewFS) Flush()    { _ = v.flush() }
func (v *viewFHS) Flush()   { _ = v.flush() }
func (v *viewFPS) Flush()   { _ = v.flush() }
func (v *viewFHPS) Flush()  { _ = v.flush() }
func (v *viewFRS) Flush()   { _ = v.flush() }
func (v *viewFHRS) Flush()  { _ = v.flush() }
func (v *viewFPRS) Flush()  { _ = v.flush() }
func (v *viewFHPRS) Flush() { _ = v.flush() }

func (v *viewF) FlushError() error     { return v.flush() }
func (v *viewFH) FlushError() error    { return v.flush() }
func (v *viewFP) FlushError() error    { return v.flush() }
func (v *viewFHP) FlushError() error   { return v.flush() }
func (v *viewFR) FlushError() error    { return v.flush() }
func (v *viewFHR) FlushError() error   { return v.flush() }
func (v *viewFPR) FlushError() error   { return v.flush() }
func (v *viewFHPR) FlushError() error  { return v.flush() }
func (v *viewFS) FlushError() error    { return v.flush() }
func (v *viewFHS) FlushError() error   { return v.flush() }
func (v *viewFPS) FlushError() error   { return v.flush() }
func (v *viewFHPS) FlushError() error  { return v.flush() }
func (v *viewFRS) FlushError() error   { return v.flush() }
func (v *viewFHRS) FlushError() error  { return v.flush() }
func (v *viewFPRS) FlushError() error  { return v.flush() }
func (v *viewFHPRS) FlushError() error { return v.flush() }

func (v *viewH) Hijack() (net.Conn, *bufio.ReadWriter, error)     { return v.hijack() }
func (v *viewFH) Hijack() (net.Conn, *bufio.ReadWriter, error)    { return v.hijack() }
func (v *viewHP) Hijack() (net.Conn, *bufio.ReadWriter, error)    { return v.hijack() }
func (v *viewFHP) Hijack() (net.Conn, *bufio.ReadWriter, error)   { return v.hijack() }
func (v *viewHR) Hijack() (net.Conn, *bufio.ReadWriter, error)    { return v.hijack() }
func (v *viewFHR) Hijack() (net.Conn, *bufio.ReadWriter, error)   { return v.hijack() }
func (v *viewHPR) Hijack() (net.Conn, *bufio.ReadWriter, error)   { return v.hijack() }
func (v *viewFHPR) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return v.hijack() }
func (v *viewHS) Hijack() (net.Conn, *bufio.ReadWriter, error)    { return v.hijack() }
func (v *viewFHS) Hijack() (net.Conn, *bufio.ReadWriter, error)   { return v.hijack() }
func (v *viewHPS) Hijack() (net.Conn, *bufio.ReadWriter, error)   { return v.hijack() }
func (v *viewFHPS) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return v.hijack() }
func (v *viewHRS) Hijack() (net.Conn, *bufio.ReadWriter, error)   { return v.hijack() }
func (v *viewFHRS) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return v.hijack() }
func (v *viewHPRS) Hijack() (net.Conn, *bufio.ReadWriter, error)  { return v.hijack() }
func (v *viewFHPRS) Hijack() (net.Conn, *bufio.ReadWriter, error) { return v.hijack() }

func (v *viewP) Push(t string, o *http.PushOptions) error     { return v.push(t, o) }
func (v *viewFP) Push(t string, o *http.PushOptions) error    { return v.push(t, o) }
func (v *viewHP) Push(t string, o *http.PushOptions) error    { return v.push(t, o) }
func (v *viewFHP) Push(t string, o *http.PushOptions) error   { return v.push(t, o) }
func (v *viewPR) Push(t string, o *http.PushOptions) error    { return v.push(t, o) }
func (v *viewFPR) Push(t string, o *http.PushOptions) error   { return v.push(t, o) }
func (v *viewHPR) Push(t string, o *http.PushOptions) error   { return v.push(t, o) }
func (v *viewFHPR) Push(t string, o *http.PushOptions) error  { return v.push(t, o) }
func (v *viewPS) Push(t string, o *http.PushOptions) error    { return v.push(t, o) }
func (v *viewFPS) Push(t string, o *http.PushOptions) error   { return v.push(t, o) }
func (v *viewHPS) Push(t string, o *http.PushOptions) error   { return v.push(t, o) }
func (v *viewFHPS) Push(t string, o *http.PushOptions) error  { return v.push(t, o) }
func (v *viewPRS) Push(t string, o *http.PushOptions) error   { return v.push(t, o) }
func (v *viewFPRS) Push(t string, o *http.PushOptions) error  { return v.push(t, o) }
func (v *viewHPRS) Push(t string, o *http.PushOptions) error  { return v.push(t, o) }
func (v *viewFHPRS) Push(t string, o *http.PushOptions) error { return v.push(t, o) }

func (v *viewR) ReadFrom(r io.Reader) (int64, error)     { return v.readFrom(r) }
func (v *viewFR) ReadFrom(r io.Reader) (int64, error)    { return v.readFrom(r) }
func (v *viewHR) ReadFrom(r io.Reader) (int64, error)    { return v.readFrom(r) }
func (v *viewFHR) ReadFrom(r io.Reader) (int64, error)   { return v.readFrom(r) }
func (v *viewPR) ReadFrom(r io.Reader) (int64, error)    { return v.readFrom(r) }
func (v *viewFPR) ReadFrom(r io.Reader) (int64, error)   { return v.readFrom(r) }
func (v *viewHPR) ReadFrom(r io.Reader) (int64, error)   { return v.readFrom(r) }
func (v *viewFHPR) ReadFrom(r io.Reader) (int64, error)  { return v.readFrom(r) }
func (v *viewRS) ReadFrom(r io.Reader) (int64, error)    { return v.readFrom(r) }
func (v *viewFRS) ReadFrom(r io.Reader) (int64, error)   { return v.readFrom(r) }
func (v *viewHRS) ReadFrom(r io.Reader) (int64, error)   { return v.readFrom(r) }
func (v *viewFHRS) ReadFrom(r io.Reader) (int64, error)  { return v.readFrom(r) }
func (v *viewPRS) ReadFrom(r io.Reader) (int64, error)   { return v.readFrom(r) }
func (v *viewFPRS) ReadFrom(r io.Reader) (int64, error)  { return v.readFrom(r) }
func (v *viewHPRS) ReadFrom(r io.Reader) (int64, error)  { return v.readFrom(r) }
func (v *viewFHPRS) ReadFrom(r io.Reader) (int64, error) { return v.readFrom(r) }

func (v *viewS) WriteString(s string) (int, error)     { return v.writeString(s) }
func (v *viewFS) WriteString(s string) (int, error)    { return v.writeString(s) }
func (v *viewHS) WriteString(s string) (int, error)    { return v.writeString(s) }
func (v *viewFHS) WriteString(s string) (int, error)   { return v.writeString(s) }
func (v *viewPS) WriteString(s string) (int, error)    { return v.writeString(s) }
func (v *viewFPS) WriteString(s string) (int, error)   { return v.writeString(s) }
func (v *viewHPS) WriteString(s string) (int, error)   { return v.writeString(s) }
func (v *viewFHPS) WriteString(s string) (int, error)  { return v.writeString(s) }
func (v *viewRS) WriteString(s string) (int, error)    { return v.writeString(s) }
func (v *viewFRS) WriteString(s string) (int, error)   { return v.writeString(s) }
func (v *viewHRS) WriteString(s string) (int, error)   { return v.writeString(s) }
func (v *viewFHRS) WriteString(s string) (int, error)  { return v.writeString(s) }
func (v *viewPRS) WriteString(s string) (int, error)   { return v.writeString(s) }
func (v *viewFPRS) WriteString(s string) (int, error)  { return v.writeString(s) }
func (v *viewHPRS) WriteString(s string) (int, error)  { return v.writeString(s) }
func (v *viewFHPRS) WriteString(s string) (int, error) { return v.writeString(s) }
