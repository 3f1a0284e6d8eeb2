package softdelete

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// identifier is what a configured name may look like. Lower case only: then a quoted and an
// unquoted name are the same on both databases.
var identifier = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// table holds the names of one table. They match identifier, so quoting them is all the care
// they need. Columns are written with their table: SQLite may take an unknown quoted name that
// stands alone for a text, and a misspelt condition would then match every row.
type table struct {
	name                             string
	id                               string
	deletedAt, deletedBy, deletionID string // empty: there is no such column
	tenant                           string
}

func (t *table) from() string             { return quote(t.name) }
func (t *table) col(column string) string { return quote(t.name) + "." + quote(column) }
func (t *table) soft() bool               { return t.deletedAt != "" }

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

type parent struct {
	table
	field      string // for messages of Check
	foreignKey string // in our table
}

type child struct {
	table
	field      string
	foreignKey string // in the child
	onPurge    Action
	children   []child
}

// modelled is a Config put into shape, with all its faults.
type modelled struct {
	root     table
	parents  []parent
	children []child
	unique   [][]string
	errs     []error
}

func (m *modelled) fault(field string, value any, reason string) {
	m.errs = append(m.errs, &ConfigError{Field: field, Value: value, Reason: reason})
}

func model[T any, K comparable](cfg Config[T, K]) *modelled {
	m := &modelled{}
	m.root = table{
		name:       m.name("Table", cfg.Table, "", false),
		id:         m.name("ID", cfg.ID, "id", false),
		deletedAt:  m.name("DeletedAt", cfg.DeletedAt, "deleted_at", false),
		deletedBy:  m.name("DeletedBy", cfg.DeletedBy, "deleted_by", true),
		deletionID: m.name("DeletionID", cfg.DeletionID, "deletion_id", true),
	}
	if cfg.Tenant != "" {
		m.root.tenant = m.name("Tenant", cfg.Tenant, "", false)
	}
	if len(cfg.Columns) == 0 {
		m.fault("Columns", nil, "is required")
	}
	for i, column := range cfg.Columns {
		m.name(fmt.Sprintf("Columns[%d]", i), column, "", false)
	}
	for i, columns := range cfg.Unique {
		field := fmt.Sprintf("Unique[%d]", i)
		if len(columns) == 0 {
			m.fault(field, nil, "names no column")
		}
		for _, column := range columns {
			m.name(field, column, "", false)
		}
		m.unique = append(m.unique, slices.Clone(columns))
	}
	for i, p := range cfg.Parents {
		field := fmt.Sprintf("Parents[%d]", i)
		m.parents = append(m.parents, parent{
			field:      field,
			foreignKey: m.name(field+".ForeignKey", p.ForeignKey, "", false),
			table: table{
				name:      m.name(field+".Table", p.Table, "", false),
				id:        m.name(field+".ID", p.ID, "id", false),
				deletedAt: m.name(field+".DeletedAt", p.DeletedAt, m.root.deletedAt, false),
				tenant:    m.tenantOf(field, p.Tenant),
			},
		})
	}
	if len(cfg.Children) > 0 && m.root.deletionID == "" {
		m.fault("DeletionID", none, "is required with Children")
	}
	m.children = m.childrenOf("Children", &m.root, cfg.Children, 1)
	m.distinct("", &m.root)
	return m
}

const maxLevels = 16

func (m *modelled) childrenOf(list string, above *table, cfg []Child, level int) []child {
	if level > maxLevels && len(cfg) > 0 {
		m.fault(list, len(cfg), "is nested more than "+strconv.Itoa(maxLevels)+" levels deep")
		return nil
	}
	var out []child
	for i, c := range cfg {
		field := fmt.Sprintf("%s[%d]", list, i)
		made := child{
			field:      field,
			foreignKey: m.name(field+".ForeignKey", c.ForeignKey, "", false),
			onPurge:    c.OnPurge,
			table: table{
				name:      m.name(field+".Table", c.Table, "", false),
				id:        m.name(field+".ID", c.ID, "id", false),
				deletedAt: m.name(field+".DeletedAt", c.DeletedAt, m.root.deletedAt, true),
				tenant:    m.tenantOf(field, c.Tenant),
			},
		}
		if made.soft() {
			made.deletedBy = m.name(field+".DeletedBy", c.DeletedBy, cmpOr(m.root.deletedBy, none), true)
			made.deletionID = m.name(field+".DeletionID", c.DeletionID, m.root.deletionID, false)
			if above != nil && !above.soft() {
				m.fault(field+".DeletedAt", c.DeletedAt, `must be "-", as it is in the level above`)
			}
		}
		if c.OnPurge > SetNull {
			m.fault(field+".OnPurge", c.OnPurge, "is no action")
		}
		m.distinct(field+".", &made.table)
		made.children = m.childrenOf(field+".Children", &made.table, c.Children, level+1)
		out = append(out, made)
	}
	return out
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// name checks one name and puts the default in the place of an empty one. "-" becomes the empty
// name where the column may be missing.
func (m *modelled) name(field, value, fallback string, optional bool) string {
	given := value
	if given == "" {
		given = fallback
	}
	switch {
	case optional && given == none:
		return ""
	case given == "":
		m.fault(field, value, "is required")
	case !identifier.MatchString(given):
		m.fault(field, value, "is not a name of lower-case letters, digits and underscores, at most 63")
	}
	return given
}

func (m *modelled) tenantOf(field, value string) string {
	if m.root.tenant == "" {
		if value != "" && value != none {
			m.fault(field+".Tenant", value, "needs a Tenant in the Config")
		}
		return ""
	}
	return m.name(field+".Tenant", value, m.root.tenant, true)
}

// distinct refuses one column in two roles.
func (m *modelled) distinct(prefix string, t *table) {
	roles := []struct{ field, column string }{
		{"ID", t.id},
		{"DeletedAt", t.deletedAt},
		{"DeletedBy", t.deletedBy},
		{"DeletionID", t.deletionID},
		{"Tenant", t.tenant},
	}
	for i, role := range roles {
		for _, other := range roles[:i] {
			if role.column != "" && role.column == other.column {
				m.fault(prefix+role.field, role.column, "is the column of "+other.field+", too")
			}
		}
	}
}

// stmt is one statement under construction. Every value gets a placeholder of its own, so the
// numbers ascend and each has one type.
type stmt struct {
	text strings.Builder
	args []any
}

func (s *stmt) add(parts ...string) *stmt {
	for _, part := range parts {
		s.text.WriteString(part)
	}
	return s
}

// bind must be evaluated in the order of the text: call it as an argument of add.
func (s *stmt) bind(value any) string {
	s.args = append(s.args, value)
	return "$" + strconv.Itoa(len(s.args))
}

func (s *stmt) String() string { return s.text.String() }
