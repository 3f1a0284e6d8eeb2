package pagination

// CursorBench seals and opens one position, for the allocation bars and benchmarks.
type CursorBench struct {
	ring  *Keyring
	print fingerprint
	keys  []key
	at    position
	into  position
}

// NewCursorBench takes the position of a list by time and UUID, or by text when text is set.
func NewCursorBench(ring *Keyring, text string) *CursorBench {
	b := &CursorBench{ring: ring, keys: []key{
		{field: &field{Field: Field{Kind: Time}}}, {field: &field{Field: Field{Kind: UUID}}},
	}}
	b.at.n = 2
	b.at.keys[0] = value{tag: tagTime, bits: 1_700_000_000_000_000}
	b.at.keys[1] = uuidValue("0192f0c1-a4e0-7c5b-9f6d-2a1b3c4d5e6f")
	if text != "" {
		b.keys[0].field.Kind = String
		b.at.keys[0] = textValue(text)
	}
	return b
}

// Seal returns the cursor.
func (b *CursorBench) Seal() (string, error) { return b.ring.seal(&b.at, &b.print) }

// Open reads a cursor and reports whether it is good.
func (b *CursorBench) Open(token string) bool { return b.ring.open(token, &b.print, b.keys, &b.into) }
