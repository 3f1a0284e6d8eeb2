package vision

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// ClamAVConfig configures [NewClamAV].
type ClamAVConfig struct {
	// Address of the daemon: "host:3310" or the path of its Unix socket. Required.
	Address string
	// Network is "tcp" or "unix". Default "unix" when Address starts with a slash, else "tcp".
	Network string
	// Timeout bounds one scan from dialling to the verdict, besides the caller's context.
	// Default 30 seconds.
	Timeout time.Duration
	// Dial opens the connection. Default a plain [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// ClamAV is a [Scanner] that asks a clamd daemon over its INSTREAM command, on one connection per
// scan. It fails closed: only a complete "stream: OK" counts as clean. A stream above clamd's
// StreamMaxLength (25 MiB unless configured) is an error, so keep that above [Limits.MaxBytes].
// It is safe for concurrent use.
type ClamAV struct {
	cfg ClamAVConfig
}

var _ Scanner = (*ClamAV)(nil)

// NewClamAV checks cfg and returns a scanner; it does not connect. Faults are joined
// *[ConfigError]s.
func NewClamAV(cfg ClamAVConfig) (*ClamAV, error) {
	var faults []error
	if cfg.Address == "" {
		faults = append(faults, &ConfigError{Field: "ClamAV.Address", Reason: "required"})
	}
	switch cfg.Network {
	case "":
		cfg.Network = "tcp"
		if strings.HasPrefix(cfg.Address, "/") {
			cfg.Network = "unix"
		}
	case "tcp", "unix":
	default:
		faults = append(faults, &ConfigError{
			Field: "ClamAV.Network", Value: cfg.Network, Reason: "must be tcp or unix",
		})
	}
	if cfg.Timeout < 0 {
		faults = append(faults, &ConfigError{
			Field: "ClamAV.Timeout", Value: cfg.Timeout.String(), Reason: "must not be negative",
		})
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 30 * time.Second
	}
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &ClamAV{cfg: cfg}, nil
}

// Scan implements [Scanner]. A finding is an *[UploadError] with [ErrInfected] and the name of the
// signature; anything but a verdict is one with [ErrNotScanned].
func (c *ClamAV) Scan(ctx context.Context, r io.Reader) error {
	reply, err := c.ask(ctx, "INSTREAM", r)
	if err != nil {
		return &UploadError{Err: ErrNotScanned, Cause: err}
	}
	if reply == "stream: OK" {
		return nil
	}
	name, found := strings.CutSuffix(reply, " FOUND")
	if name, stream := strings.CutPrefix(name, "stream: "); found && stream {
		return &UploadError{Err: ErrInfected, Reason: "found " + printable(name)}
	}
	return &UploadError{Err: ErrNotScanned, Cause: fmt.Errorf("clamd answered %q", printable(reply))}
}

// Ping reports whether the daemon answers. Its errors wrap [ErrNotScanned].
func (c *ClamAV) Ping(ctx context.Context) error {
	reply, err := c.ask(ctx, "PING", nil)
	if err == nil && reply != "PONG" {
		err = fmt.Errorf("clamd answered %q", printable(reply))
	}
	if err != nil {
		return &UploadError{Err: ErrNotScanned, Cause: err}
	}
	return nil
}

// ask sends one command, with body as a stream unless it is nil, and returns the reply.
func (c *ClamAV) ask(ctx context.Context, command string, body io.Reader) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	conn, err := c.cfg.Dial(ctx, c.cfg.Network, c.cfg.Address)
	if err != nil {
		return "", fmt.Errorf("connect to clamd: %w", err)
	}
	defer conn.Close()
	// A context may end by cancellation as well as by time; closing wakes every pending call.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()

	reply, err := exchange(conn, command, body)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return reply, err
}

// exchange speaks clamd's z variant, in which both sides end a line with a zero byte: a reply cut
// short cannot be taken for a whole one.
func exchange(conn net.Conn, command string, body io.Reader) (string, error) {
	sendErr := send(conn, command, body)
	if sendErr != nil && errors.Is(sendErr, errBody) {
		return "", sendErr
	}
	// A daemon that has had enough answers and hangs up while we are sending: its reply explains
	// why, so read it even when sending failed.
	reply, err := bufio.NewReader(io.LimitReader(conn, maxReply)).ReadString(0)
	if err != nil {
		if sendErr != nil {
			err = sendErr
		}
		return "", fmt.Errorf("ask clamd: %w", err)
	}
	reply = strings.TrimSuffix(reply, "\x00")
	if sendErr != nil && reply == "stream: OK" {
		return "", fmt.Errorf("clamd judged an incomplete stream: %w", sendErr)
	}
	return reply, nil
}

const (
	maxReply  = 4 << 10
	chunkSize = 64 << 10
)

// errBody marks a failure of the reader that is being scanned.
var errBody = errors.New("read upload")

// send writes the command and body in length-prefixed chunks, ended by an empty one.
func send(conn net.Conn, command string, body io.Reader) error {
	if _, err := io.WriteString(conn, "z"+command+"\x00"); err != nil {
		return err
	}
	if body == nil {
		return nil
	}
	buf := make([]byte, 4+chunkSize)
	for {
		n, readErr := io.ReadFull(body, buf[4:])
		if n > 0 {
			binary.BigEndian.PutUint32(buf, uint32(n))
			if _, err := conn.Write(buf[:4+n]); err != nil {
				return err
			}
		}
		switch {
		case readErr == nil:
		case errors.Is(readErr, io.EOF), errors.Is(readErr, io.ErrUnexpectedEOF):
			_, err := conn.Write([]byte{0, 0, 0, 0})
			return err
		default:
			return fmt.Errorf("%w: %w", errBody, readErr)
		}
	}
}

// printable bounds a text of the daemon and keeps its visible ASCII only.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
	return s[:min(len(s), 200)]
}
