package pagination_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// jsonCursor is a cursor as it is commonly written: JSON and an HMAC of it, in base64. It serves as
// the yardstick of BenchmarkCursor.
type jsonCursor struct {
	CreatedAt time.Time `json:"created_at"`
	ID        string    `json:"id"`
}

func (c jsonCursor) encode(secret []byte) (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(text)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(text)), nil
}

func (c *jsonCursor) decode(secret []byte, token string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < sha256.Size {
		return false
	}
	text, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	mac := hmac.New(sha256.New, secret)
	mac.Write(text)
	return hmac.Equal(sum, mac.Sum(nil)) && json.Unmarshal(text, c) == nil
}

func TestJSONCursor(t *testing.T) {
	t.Parallel()
	want := jsonCursor{time.UnixMicro(1_700_000_000_000_000).UTC(), "0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f"}
	token, err := want.encode(testKey.Secret[:])
	require.NoError(t, err)
	var got jsonCursor
	require.True(t, got.decode(testKey.Secret[:], token))
	require.Equal(t, want, got)
	require.False(t, got.decode(testKey.Secret[:], "A"+token[1:]))
}
