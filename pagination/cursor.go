package pagination

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
)

// A cursor is base64url without padding of
//
//	version | key id | nonce (12) | AES-GCM( flags | sort values ) | tag (16)
//
// The additional data is version, key id and the fingerprint of everything that must not change
// between two pages: sort, filters, search, scope. The nonce is an HMAC of fingerprint and
// plaintext under a key of its own, so equal positions give byte-equal cursors and ETags of
// pages keep working, while two different plaintexts practically never share a nonce.
const (
	cursorVersion = 1
	headerLen     = 2
	nonceLen      = 12
	tagLen        = 16
	maxToken      = 8192 // longer ones are refused before anything is decoded
	minToken      = (headerLen + nonceLen + tagLen) * 4 / 3
)

const (
	flagBackward  = 1 << iota // read towards the start of the list
	flagInclusive             // the row at the position belongs to the page
	flagsKnown    = flagBackward | flagInclusive
)

// position is where a page begins: the sort values of a row, and the way to read from there.
type position struct {
	flags byte
	n     int
	keys  [maxKeys]value
}

func (p *position) backward() bool  { return p.flags&flagBackward != 0 }
func (p *position) inclusive() bool { return p.flags&flagInclusive != 0 }

// turned returns the way back from a page that came out empty because its rows are gone. The
// row at the position itself was on the page before, so it belongs to the answer.
func (p position) turned() position {
	p.flags = p.flags&flagBackward ^ flagBackward | flagInclusive
	return p
}

type fingerprint [sha256.Size]byte

// scratch are the buffers of one sealing or opening.
type scratch struct {
	text, raw, plain []byte
	data             [headerLen + len(fingerprint{})]byte
	mac              [sha256.Size]byte
}

func (s *scratch) additional(header []byte, print *fingerprint) []byte {
	copy(s.data[:], header[:headerLen])
	copy(s.data[headerLen:], print[:])
	return s.data[:]
}

// seal returns the cursor for p.
func (r *Keyring) seal(p *position, print *fingerprint) (string, error) {
	s := r.scratch.Get().(*scratch)
	defer r.scratch.Put(s)
	s.plain = append(s.plain[:0], p.flags)
	for i := range p.n {
		s.plain = p.keys[i].append(s.plain)
	}
	size := headerLen + nonceLen + len(s.plain) + tagLen
	if base64.RawURLEncoding.EncodedLen(size) > maxToken {
		return "", ErrKeyTooLong
	}
	key := r.current
	s.raw = append(s.raw[:0], cursorVersion, key.id)
	data := s.additional(s.raw, print)
	s.raw = append(s.raw, key.nonce(s, data)...)
	s.raw = key.aead.Seal(s.raw, s.raw[headerLen:headerLen+nonceLen], s.plain, data)
	s.text = base64.RawURLEncoding.AppendEncode(s.text[:0], s.raw)
	return string(s.text), nil
}

func (k *sealer) nonce(s *scratch, data []byte) []byte {
	mac := k.macs.Get().(hash.Hash)
	mac.Reset()
	_, _ = mac.Write(data) // a hash never fails
	_, _ = mac.Write(s.plain)
	sum := mac.Sum(s.mac[:0])
	k.macs.Put(mac)
	return sum[:nonceLen]
}

// open reads token into p. It reports false for anything that was not sealed by this ring for
// the same fingerprint and columns.
func (r *Keyring) open(token string, print *fingerprint, keys []key, p *position) bool {
	if len(token) < minToken || len(token) > maxToken {
		return false
	}
	s := r.scratch.Get().(*scratch)
	defer r.scratch.Put(s)
	s.text = append(s.text[:0], token...)
	for _, c := range s.text {
		if c == '\r' || c == '\n' { // the decoder would skip them
			return false
		}
	}
	var err error
	// Strict refuses stray bits in the last character: a cursor has one spelling.
	s.raw, err = base64.RawURLEncoding.Strict().AppendDecode(s.raw[:0], s.text)
	if err != nil || len(s.raw) < headerLen+nonceLen+tagLen || s.raw[0] != cursorVersion {
		return false
	}
	key := r.byID[s.raw[1]]
	if key == nil {
		return false
	}
	data := s.additional(s.raw, print)
	sealed := s.raw[headerLen+nonceLen:]
	s.plain, err = key.aead.Open(s.plain[:0], s.raw[headerLen:headerLen+nonceLen], sealed, data)
	if err != nil {
		return false
	}
	return p.read(s.plain, keys)
}

// read takes the plaintext apart. It is authentic, but may have been sealed by another release.
func (p *position) read(plain []byte, keys []key) bool {
	if len(plain) == 0 || plain[0]&^byte(flagsKnown) != 0 {
		return false
	}
	p.flags, p.n = plain[0], len(keys)
	whole := ""
	rest := plain[1:]
	for i := range keys {
		v, tail, ok := readValue(rest, &whole, plain)
		if !ok || !keys[i].field.fits(v.tag) {
			return false
		}
		p.keys[i], rest = v, tail
	}
	return len(rest) == 0
}

// fingerprint digests what a cursor is bound to. The page size is not part of it: a client may
// change it on the way (AIP-158).
func (q *Query) seal(scope []string) {
	b := make([]byte, 0, 512)
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.AppendUvarint(b, uint64(len(q.keys)))
	for _, k := range q.keys {
		text(k.field.Name)
		text(k.field.sql)
		flags := byte(k.field.Kind) << 2
		if k.desc {
			flags |= 1
		}
		if k.field.Nullable {
			flags |= 2
		}
		b = append(b, flags)
	}
	b = binary.AppendUvarint(b, uint64(len(q.filters)))
	for _, f := range q.filters {
		text(f.id)
		text(f.field.sql)
		b = binary.AppendUvarint(b, uint64(len(f.values)))
		for _, v := range f.values {
			b = v.append(b)
		}
	}
	text(q.search)
	b = binary.AppendUvarint(b, uint64(len(scope)))
	for _, part := range scope {
		text(part)
	}
	q.print = sha256.Sum256(b)
}
