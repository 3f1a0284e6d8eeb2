package sqlaudit

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/groundwork-go/groundwork/sqldb"
)

// Format is a form of export.
type Format string

// The formats.
const (
	// JSONL is one event per line, as its JSON form.
	JSONL Format = "jsonl"
	// CSV is RFC 4180 with the columns of audit_events but pos. A cell that a spreadsheet would
	// take for a formula, and one that begins with an apostrophe, has an apostrophe before it.
	CSV Format = "csv"
)

// Export writes all events that f matches, oldest first, and returns how many. It holds no
// connection while it writes. The first error of w ends it. Events that are logged meanwhile are
// in it or not: set To for an answer that stays the same.
func (s *Store) Export(ctx context.Context, f Filter, w io.Writer, format Format) (int64, error) {
	buffered := bufio.NewWriter(w)
	var write func(r *record) error
	var flush func() error
	switch format {
	case JSONL:
		enc := json.NewEncoder(buffered)
		enc.SetEscapeHTML(false)
		write = func(r *record) error {
			e, err := r.event()
			if err != nil {
				return err
			}
			return enc.Encode(e)
		}
		flush = buffered.Flush
	case CSV:
		out := csv.NewWriter(buffered)
		write = func(r *record) error { return out.Write(cells(r)) }
		flush = func() error {
			out.Flush()
			if err := out.Error(); err != nil {
				return err
			}
			return buffered.Flush()
		}
		if err := out.Write(csvHeader()); err != nil {
			return 0, fmt.Errorf("sqlaudit: export: %w", err)
		}
	default:
		return 0, fmt.Errorf("%w: %q", ErrFormat, string(format))
	}
	total := int64(0)
	var last *record
	for {
		page, err := s.exportPage(ctx, f, last)
		if err != nil {
			return total, fmt.Errorf("sqlaudit: export: %w", err)
		}
		for i := range page {
			if err := write(&page[i]); err != nil {
				return total, fmt.Errorf("sqlaudit: export: %w", err)
			}
		}
		if err := flush(); err != nil {
			return total, fmt.Errorf("sqlaudit: export: %w", err)
		}
		total += int64(len(page))
		if len(page) < s.page {
			return total, nil
		}
		last = &page[len(page)-1]
	}
}

func (s *Store) exportPage(ctx context.Context, f Filter, last *record) ([]record, error) {
	where, args := f.where()
	bind := func(arg any) string {
		args = append(args, arg)
		return "$" + strconv.Itoa(len(args))
	}
	if last != nil {
		after := "(e.at, e.id) > (" + bind(last.at.Time) + ", " + bind(string(last.texts[colID])) + ")"
		if where != "" {
			where += " AND "
		}
		where += after
	}
	if where != "" {
		where = " WHERE " + where
	}
	limit := bind(int64(s.page)) // before args is read
	return readRecords(ctx, s.db, "SELECT "+eventColumns+" FROM audit_events AS e"+where+
		" ORDER BY e.at, e.id LIMIT "+limit, args...)
}

func csvHeader() []string {
	return []string{
		"at", "id", "tenant", "actor_type", "actor_id", "actor_name", "on_behalf_of", "actor_tenant", "action",
		"entity_type", "entity_id", "outcome", "reason", "class", "request_id", "session_id", "ip", "user_agent",
		"method", "path", "changes", "data", "truncated",
	}
}

func cells(r *record) []string {
	list := make([]string, 0, textCount+2)
	list = append(list, r.at.Format(sqldb.TimeLayout))
	for i := range r.texts {
		list = append(list, neutral(string(r.texts[i])))
	}
	return append(list, strconv.FormatBool(bool(r.truncated)))
}

// neutral keeps a spreadsheet from running a cell.
func neutral(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n'", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
