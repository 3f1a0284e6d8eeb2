package password

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// phc is a hash in the PHC string format:
//
//	$argon2id$v=19$m=19456,t=2,p=1$salt$key
//	$argon2id$v=19$m=19456,t=2,p=1,keyid=pepper$salt$key
type phc struct {
	params Params
	pepper string
	salt   []byte
	key    []byte
}

const maxPHCBytes = 512

// String encodes the hash.
func (h phc) String() string {
	keyID := ""
	if h.pepper != "" {
		keyID = ",keyid=" + h.pepper
	}
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d%s$%s$%s", argon2.Version, h.params.Memory, h.params.Time,
		h.params.Threads, keyID, phcBase64().EncodeToString(h.salt), phcBase64().EncodeToString(h.key))
}

func phcBase64() *base64.Encoding { return base64.RawStdEncoding.Strict() }

// parsePHC decodes a hash and checks every bound, so that what it returns is safe to compute.
func parsePHC(text string) (phc, error) {
	fault := func(what string) (phc, error) { return phc{}, fmt.Errorf("%w: %s", ErrHash, what) }
	if len(text) > maxPHCBytes {
		return fault("too long")
	}
	if strings.ContainsAny(text, "\r\n") { // which encoding/base64 would skip
		return fault("line break")
	}
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return fault("not argon2id in PHC form")
	}
	if parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return fault("unknown version")
	}
	var h phc
	fields := strings.Split(parts[3], ",")
	if len(fields) == 4 {
		id, ok := strings.CutPrefix(fields[3], "keyid=")
		if !ok || !pepperID(id) {
			return fault("parameters")
		}
		h.pepper, fields = id, fields[:3]
	}
	if len(fields) != 3 {
		return fault("parameters")
	}
	memory, ok1 := number(fields[0], "m=", 32)
	time, ok2 := number(fields[1], "t=", 32)
	threads, ok3 := number(fields[2], "p=", 8)
	h.params = Params{Memory: uint32(memory), Time: uint32(time), Threads: uint8(threads)}
	if !ok1 || !ok2 || !ok3 {
		return fault("parameters")
	}
	if reason := h.params.fault(); reason != "" {
		return fault(reason)
	}
	var err1, err2 error
	h.salt, err1 = phcBase64().DecodeString(parts[4])
	h.key, err2 = phcBase64().DecodeString(parts[5])
	switch {
	case err1 != nil || len(h.salt) < 8 || len(h.salt) > 64:
		return fault("salt")
	case err2 != nil || len(h.key) < 16 || len(h.key) > 64:
		return fault("key")
	}
	return h, nil
}

// number decodes a decimal number without sign or leading zero.
func number(field, prefix string, bits int) (uint64, bool) {
	text, ok := strings.CutPrefix(field, prefix)
	if !ok || text == "" || text[0] < '1' || text[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, bits)
	return n, err == nil
}
