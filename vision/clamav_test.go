package vision_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/groundwork-go/groundwork/vision"
)

// clamd is a fake daemon. It reads a stream up to limit bytes and calls answer with what came.
type clamd struct {
	limit  int
	answer func(conn net.Conn, command string, stream []byte)
}

// serve listens until the test ends and returns the address.
func (d clamd) serve(t *testing.T, network string) string {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "clamd") // t.TempDir can be too long for a socket path.
		require.NoError(t, err)
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		address = filepath.Join(dir, "s")
	}
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go d.talk(conn)
		}
	}()
	return l.Addr().String()
}

func (d clamd) talk(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	command, err := r.ReadString(0)
	if err != nil {
		return
	}
	var stream []byte
	for command == "zINSTREAM\x00" && len(stream) <= d.limit {
		var size uint32
		if binary.Read(r, binary.BigEndian, &size) != nil {
			return
		}
		if size == 0 {
			break
		}
		chunk := make([]byte, size)
		if _, err := io.ReadFull(r, chunk); err != nil {
			return
		}
		stream = append(stream, chunk...)
	}
	d.answer(conn, command, stream)
}

// say answers with a fixed reply.
func say(reply string) func(net.Conn, string, []byte) {
	return func(conn net.Conn, _ string, _ []byte) { _, _ = io.WriteString(conn, reply) }
}

// judge answers like the real daemon with a signature for EICAR.
func judge(conn net.Conn, command string, stream []byte) {
	switch {
	case command == "zPING\x00":
		say("PONG\x00")(conn, "", nil)
	case bytes.Contains(stream, []byte("EICAR")):
		say("stream: Eicar-Test-Signature FOUND\x00")(conn, "", nil)
	default:
		say("stream: OK\x00")(conn, "", nil)
	}
}

func newClamAV(t *testing.T, cfg vision.ClamAVConfig) *vision.ClamAV {
	t.Helper()
	c, err := vision.NewClamAV(cfg)
	require.NoError(t, err)
	return c
}

func TestClamAV(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			received := make(chan []byte, 3)
			address := clamd{limit: 1 << 30, answer: func(conn net.Conn, command string, stream []byte) {
				received <- stream
				judge(conn, command, stream)
			}}.serve(t, network)
			c := newClamAV(t, vision.ClamAVConfig{Address: address})
			require.NoError(t, c.Ping(t.Context()))
			<-received

			// Longer than one chunk, and read in odd pieces.
			clean := bytes.Repeat([]byte("clean "), 50_000)
			require.NoError(t, c.Scan(t.Context(), iotest.HalfReader(bytes.NewReader(clean))))
			require.True(t, bytes.Equal(clean, <-received))

			err := c.Scan(t.Context(), bytes.NewReader(photo(t, "hostile/eicar-renamed.png")))
			require.ErrorIs(t, err, vision.ErrInfected)
			require.NotErrorIs(t, err, vision.ErrNotScanned)
			require.Contains(t, err.Error(), "Eicar-Test-Signature")

			_, err = vision.Prepare(t.Context(), photo(t, "hostile/eicar-renamed.png"), vision.PrepareOptions{Scanner: c})
			require.EqualError(t, err, "vision: infected upload: found Eicar-Test-Signature")
		})
	}
}

// TestClamAVFailsClosed: whatever is not a whole, clean verdict refuses the upload.
func TestClamAVFailsClosed(t *testing.T) {
	t.Parallel()
	replies := map[string]string{
		"size limit":          "INSTREAM size limit exceeded. ERROR\x00",
		"half-written":        "stream: O",
		"clean without end":   "stream: OK",
		"clean in lines":      "stream: OK\n",
		"nothing":             "",
		"only the end":        "\x00",
		"other stream":        "other: OK\x00",
		"clean and more":      "stream: OK maybe\x00",
		"found, no stream":    "Eicar FOUND\x00",
		"unknown command":     "UNKNOWN COMMAND\x00",
		"endless":             strings.Repeat("x", 1<<20),
		"control characters":  "\x1b[2Jstream: OK\x00",
		"error on the stream": "stream: Can't allocate memory ERROR\x00",
	}
	for name, reply := range replies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClamAV(t, vision.ClamAVConfig{Address: clamd{limit: 1 << 30, answer: say(reply)}.serve(t, "tcp")})
			o := vision.PrepareOptions{Scanner: c}
			_, err := vision.Prepare(t.Context(), photo(t, "house-outside.jpg"), o)
			require.ErrorIs(t, err, vision.ErrNotScanned)
			require.NotErrorIs(t, err, vision.ErrInfected)
			require.Less(t, len(err.Error()), 400)
			require.NotContains(t, err.Error(), "\x1b")
			require.ErrorIs(t, c.Ping(t.Context()), vision.ErrNotScanned)
		})
	}
}

// TestClamAVStopsReading: a daemon that has enough answers early and hangs up. Whether our write
// fails or not, it cannot count as clean.
func TestClamAVStopsReading(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{"INSTREAM size limit exceeded. ERROR\x00", "stream: OK\x00"} {
		address := clamd{limit: 1000, answer: say(reply)}.serve(t, "tcp")
		c := newClamAV(t, vision.ClamAVConfig{Address: address})
		err := c.Scan(t.Context(), bytes.NewReader(make([]byte, 64<<20)))
		require.ErrorIs(t, err, vision.ErrNotScanned)
	}
}

func TestClamAVUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	c := newClamAV(t, vision.ClamAVConfig{Address: l.Addr().String()})
	require.ErrorIs(t, c.Scan(t.Context(), strings.NewReader("x")), vision.ErrNotScanned)

	c = newClamAV(t, vision.ClamAVConfig{Address: filepath.Join(t.TempDir(), "none")})
	require.ErrorIs(t, c.Scan(t.Context(), strings.NewReader("x")), vision.ErrNotScanned)
}

func TestClamAVTimeout(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	silent := func(net.Conn, string, []byte) { <-release }
	address := clamd{limit: 1 << 30, answer: silent}.serve(t, "tcp")

	c := newClamAV(t, vision.ClamAVConfig{Address: address, Timeout: 30 * time.Millisecond})
	err := c.Scan(t.Context(), strings.NewReader("x"))
	require.ErrorIs(t, err, vision.ErrNotScanned)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	// Cancelling wakes a scan that waits for its verdict.
	c = newClamAV(t, vision.ClamAVConfig{Address: address})
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	go func() {
		_, _ = writer.Write([]byte("x"))
		_ = writer.Close()
		cancel()
	}()
	err = c.Scan(ctx, reader)
	require.ErrorIs(t, err, vision.ErrNotScanned)
	require.ErrorIs(t, err, context.Canceled)

	// A context that has ended connects to nobody.
	dialled := false
	c = newClamAV(t, vision.ClamAVConfig{Address: "clamd:3310", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled = network == "tcp" && address == "clamd:3310"
		return nil, ctx.Err()
	}})
	require.ErrorIs(t, c.Scan(ctx, strings.NewReader("x")), context.Canceled)
	require.True(t, dialled)
}

func TestClamAVBrokenUpload(t *testing.T) {
	t.Parallel()
	c := newClamAV(t, vision.ClamAVConfig{Address: clamd{limit: 1 << 30, answer: judge}.serve(t, "tcp")})
	broken := errors.New("disk gone")
	err := c.Scan(t.Context(), iotest.ErrReader(broken))
	require.ErrorIs(t, err, vision.ErrNotScanned)
	require.ErrorIs(t, err, broken)
}

func TestNewClamAVFaults(t *testing.T) {
	t.Parallel()
	_, err := vision.NewClamAV(vision.ClamAVConfig{Network: "udp", Timeout: -1})
	var fault *vision.ConfigError
	require.ErrorAs(t, err, &fault)
	for _, field := range []string{"ClamAV.Address", "ClamAV.Network", "ClamAV.Timeout"} {
		require.Contains(t, err.Error(), field)
	}
}
