package pagination

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Search describes the q parameter: a case-blind substring search.
//
// The two databases disagree about case (PostgreSQL's LIKE is exact, SQLite's folds ASCII only),
// so the columns must already hold folded text: write Fold(title) beside title. An infix LIKE
// reads the whole list; at scale give the columns a trigram index or search elsewhere.
type Search struct {
	// Columns are the folded columns, each table.column; a row matches when one contains the
	// term. Empty means there is no search.
	Columns []string
	// Min and Max are the limits of the term in characters, spaces at its ends not counted.
	// Default 2 and 100.
	Min, Max int
}

type search struct {
	columns  []string
	min, max int
}

func (s search) on() bool { return len(s.columns) > 0 }

func (s Search) compile(errs *[]error) search {
	made := search{min: s.Min, max: s.Max}
	if made.min == 0 {
		made.min = 2
	}
	if made.max == 0 {
		made.max = 100
	}
	if made.min < 1 || made.min > made.max || made.max > 1_000 {
		*errs = append(*errs, &ConfigError{
			Field: "Search.Min", Value: s.Min, Reason: fmt.Sprintf("must be 1 to Max, and Max (%d) at most 1000", made.max),
		})
	}
	for i, column := range s.Columns {
		parts := columnPattern.FindStringSubmatch(column)
		if parts == nil {
			*errs = append(*errs, &ConfigError{
				Field: fmt.Sprintf("Search.Columns[%d]", i), Value: column, Reason: "must be table.column",
			})
			continue
		}
		made.columns = append(made.columns, parts[1]+`."`+parts[2]+`"`)
	}
	return made
}

// Fold returns text in the form search columns hold: every character in the lower case of its
// upper case, so that É and é, ſ and s, the Kelvin sign and k are the same. Invalid UTF-8 becomes
// U+FFFD and NUL is dropped, which PostgreSQL would refuse.
func Fold(text string) string {
	return strings.Map(func(r rune) rune {
		if r == 0 {
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r))
	}, text)
}

// parse checks the q parameter and returns the folded term.
func (s search) parse(param, raw string) (string, *Error) {
	if !clean(raw) {
		return "", &Error{Param: param, Code: CodeBadFormat, Detail: "Use UTF-8 text without NUL."}
	}
	term := strings.TrimSpace(raw)
	switch n := utf8.RuneCountInString(term); {
	case n < s.min:
		return "", &Error{Param: param, Code: CodeTooShort, Detail: fmt.Sprintf("Use %d to %d characters.", s.min, s.max)}
	case n > s.max:
		return "", &Error{Param: param, Code: CodeTooLong, Detail: fmt.Sprintf("Use %d to %d characters.", s.min, s.max)}
	}
	return Fold(term), nil
}

// clean says whether both databases can store and compare text.
func clean(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}

// escapeLike makes text literal in a LIKE pattern with ESCAPE '!'.
func escapeLike(text string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(text)
}
