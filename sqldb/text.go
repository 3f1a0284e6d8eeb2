package sqldb

import "strings"

// CleanText makes s storable on every database: NUL bytes are dropped and each run of invalid
// UTF-8 becomes U+FFFD. PostgreSQL refuses both, so without it a hostile User-Agent could make
// a write fail there and only there. For JSON clean the strings before they are encoded.
func CleanText(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}
