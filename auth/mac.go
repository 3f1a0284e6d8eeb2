package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"sync"
)

const macBytes = sha256.Size

// macPool computes HMAC-SHA-256 under one key without allocating. crypto/hmac keeps the two
// padded key blocks as saved states once Reset was called, so a reused hash also skips half of
// the work that jwt.SigningMethodHS256 repeats on every call.
type macPool struct{ pool sync.Pool }

type macState struct {
	hash hash.Hash
	buf  []byte
	out  [macBytes]byte
}

func newMACPool(secret []byte) *macPool {
	secret = append([]byte(nil), secret...)
	return &macPool{pool: sync.Pool{New: func() any {
		return &macState{hash: hmac.New(sha256.New, secret)}
	}}}
}

func (p *macPool) sum(out *[macBytes]byte, input string) {
	st := p.pool.Get().(*macState)
	st.buf = append(st.buf[:0], input...)
	st.finish(out)
	p.pool.Put(st)
}

func (p *macPool) sumBytes(out *[macBytes]byte, input []byte) {
	st := p.pool.Get().(*macState)
	st.buf = append(st.buf[:0], input...)
	st.finish(out)
	clear(st.buf) // refresh secrets do not stay in the pool
	p.pool.Put(st)
}

func (st *macState) finish(out *[macBytes]byte) {
	st.hash.Reset()
	st.hash.Write(st.buf)
	st.hash.Sum(st.out[:0])
	*out = st.out
}

func (p *macPool) verify(input string, sig []byte) bool {
	var want [macBytes]byte
	p.sum(&want, input)
	return subtle.ConstantTimeCompare(want[:], sig) == 1
}
