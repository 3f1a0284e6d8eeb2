package moving

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/pagination"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Company is a removal company, the tenant of this product.
type Company struct {
	ID              string
	Name            string
	Slug            string
	Email           string // lower case
	Phone           *string
	PrimaryColour   string
	SecondaryColour string
	Active          bool
	Credits         int64
	SurveysUsed     int64
	Version         int64
	CreatedAt       time.Time
	UpdatedAt       time.Time
	DeletedAt       *time.Time
	DeletedBy       *string
}

const (
	signUpCredits    = 3
	defaultPrimary   = "#2ee59d"
	defaultSecondary = "#000000"
)

// NewCompany is what a sign-up tells about the company it founds.
type NewCompany struct {
	Name  string
	Slug  string
	Email string // valid, lower case
	Phone string // "" for none
	// NamePointer is where the request has the name, for faults.
	NamePointer string
}

// CompanyRef is what the account domain needs to know of a company.
type CompanyRef struct {
	ID     string
	Name   string
	Slug   string
	Active bool
}

// CreateCompany founds a company with three credits and the default prices, as part of tx. It returns
// ErrSlugTaken or ErrEmailTaken, or a 422.
func (s *Service) CreateCompany(ctx context.Context, tx sqldb.DB, c NewCompany) (CompanyRef, error) {
	now := s.now()
	company := Company{
		ID: uuid7.New(now), Name: line(c.Name), Slug: c.Slug, Email: c.Email,
		PrimaryColour: defaultPrimary, SecondaryColour: defaultSecondary,
		Active: true, Credits: signUpCredits, CreatedAt: now,
	}
	if phone := line(c.Phone); phone != "" {
		company.Phone = &phone
	}
	if faults := company.faults(c.NamePointer); len(faults) > 0 {
		return CompanyRef{}, fault.Invalid(faults...)
	}
	inserted, err := insertCompany(ctx, tx, company)
	if err != nil {
		return CompanyRef{}, err
	}
	if !inserted {
		taken, err := slugTaken(ctx, tx, company.Slug)
		if err != nil {
			return CompanyRef{}, err
		}
		if taken {
			return CompanyRef{}, ErrSlugTaken
		}
		return CompanyRef{}, ErrEmailTaken
	}
	if err := insertPricing(ctx, tx, company.ID, pricing.Default(), now); err != nil {
		return CompanyRef{}, err
	}
	return CompanyRef{ID: company.ID, Name: company.Name, Slug: company.Slug, Active: true}, nil
}

// Ref returns what the account domain needs to know of a company, and ErrNotFound when there is none.
func (s *Service) Ref(ctx context.Context, db sqldb.DB, id string) (CompanyRef, error) {
	c, err := findCompany(ctx, db, id)
	if err != nil {
		return CompanyRef{}, err
	}
	return CompanyRef{ID: c.ID, Name: c.Name, Slug: c.Slug, Active: c.Active}, nil
}

// Names returns the names of companies by id. Ids of none are left out.
func (s *Service) Names(ctx context.Context, db sqldb.DB, ids []string) (map[string]string, error) {
	marks, args := make([]string, len(ids)), make([]any, len(ids))
	for i, id := range ids {
		marks[i], args[i] = "$"+strconv.Itoa(i+1), id
	}
	rows, err := db.Query(ctx, `SELECT id, name FROM companies WHERE id IN (`+strings.Join(marks, ", ")+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("moving: names of companies: %w", err)
	}
	defer func() { _ = rows.Close() }()
	names := map[string]string{}
	for rows.Next() {
		var id, name string
		if err := rows.Scan(&id, &name); err != nil {
			return nil, fmt.Errorf("moving: names of companies: %w", err)
		}
		names[id] = name
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("moving: names of companies: %w", err)
	}
	return names, nil
}

// Company returns a company, and ErrNotFound when there is none.
func (s *Service) Company(ctx context.Context, id string) (Company, error) {
	return findCompany(ctx, s.db, id)
}

// UpdateCompany lets change edit the company, if match accepts its version.
func (s *Service) UpdateCompany(ctx context.Context, id string, match IfMatch, change func(*Company) []fault.Field) (Company, error) {
	for range maxRaces {
		company, err := findCompany(ctx, s.db, id)
		if err != nil {
			return Company{}, err
		}
		before := company
		faults := append(change(&company), company.faults("#/name")...)
		if len(faults) > 0 {
			return Company{}, fault.Invalid(faults...)
		}
		if !match.Accepts(company.Version) {
			return Company{}, ErrStale
		}
		if company == before {
			return company, nil
		}
		company.UpdatedAt = s.now()
		updated := false
		err = s.db.InTx(ctx, func(tx sqldb.DB) error {
			if updated, err = updateCompany(ctx, tx, company); err != nil || !updated {
				return err
			}
			return s.record(ctx, tx, id, trail.Update, audit.Entity{Type: entityCompany, ID: id},
				newCompanyRecord(before), newCompanyRecord(company))
		})
		if err != nil {
			return Company{}, err
		}
		if updated {
			return findCompany(ctx, s.db, id)
		}
	}
	return Company{}, ErrStale
}

// maxRaces bounds how often an update without If-Match starts again because somebody else was faster.
const maxRaces = 5

var (
	slugPattern   = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])+$`)
	colourPattern = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)
)

// reservedSlugs are names that paths of the server use or that would look official.
func reservedSlugs() []string {
	return []string{
		"about", "admin", "administrator", "api", "app", "assets", "auth", "billing", "blog", "company",
		"contact", "dashboard", "demo", "docs", "files", "healthz", "help", "jobs", "legal", "listings",
		"login", "logout", "market", "me", "metrics", "moderator", "null", "openapi", "platform",
		"pricing", "privacy", "public", "readyz", "redoc", "root", "security", "settings", "signup",
		"static", "status", "support", "survey", "surveys", "system", "terms", "test", "tools", "undefined",
		"v1", "webhooks", "www",
	}
}

// faults checks what people can set. The name's pointer differs between sign-up and settings.
func (c Company) faults(namePointer string) []fault.Field {
	var found []fault.Field
	if n := len([]rune(c.Name)); n < 2 {
		found = append(found, fault.Body(namePointer, fault.FieldTooShort, "Use 2 to 255 characters."))
	} else if n > 255 {
		found = append(found, fault.Body(namePointer, fault.FieldTooLong, "Use 2 to 255 characters."))
	}
	switch {
	case len(c.Slug) > 100:
		found = append(found, fault.Body("#/slug", fault.FieldTooLong, "Use at most 100 characters."))
	case !slugPattern.MatchString(c.Slug):
		found = append(found, fault.Body("#/slug", fault.FieldBadFormat,
			"Use at least two lower-case letters, digits and single hyphens between them."))
	case slices.Contains(reservedSlugs(), c.Slug):
		found = append(found, fault.Body("#/slug", fault.FieldNotAllowed, "This short name is reserved."))
	}
	if c.Phone != nil && !validPhone(*c.Phone) {
		found = append(found, fault.Body("#/phone", fault.FieldBadFormat, phoneRule))
	}
	if !validEmail(c.Email) {
		found = append(found, fault.Body("#/email", fault.FieldBadFormat, emailRule))
	}
	if !colourPattern.MatchString(c.PrimaryColour) {
		found = append(found, fault.Body("#/primary_colour", fault.FieldBadFormat, "Write it as #2ee59d."))
	}
	if !colourPattern.MatchString(c.SecondaryColour) {
		found = append(found, fault.Body("#/secondary_colour", fault.FieldBadFormat, "Write it as #000000."))
	}
	return found
}

const insertCompanySQL = `
INSERT INTO companies (id, name, slug, email, phone, primary_colour, secondary_colour, is_active,
       credits, surveys_used, version, created_at, updated_at, search)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 1, $10, $11, $12)
ON CONFLICT DO NOTHING`

// insertCompany reports false when the short name or the address is taken.
func insertCompany(ctx context.Context, db sqldb.DB, c Company) (bool, error) {
	n, err := db.Exec(ctx, insertCompanySQL, c.ID, c.Name, c.Slug, c.Email, c.Phone, c.PrimaryColour,
		c.SecondaryColour, c.Active, c.Credits, sqldb.At(c.CreatedAt), sqldb.At(c.CreatedAt), c.search())
	if err != nil {
		return false, fmt.Errorf("moving: insert company: %w", err)
	}
	return n == 1, nil
}

const slugTakenSQL = `SELECT COUNT(*) FROM companies AS c WHERE c.slug = $1 AND c.deleted_at IS NULL`

func slugTaken(ctx context.Context, db sqldb.DB, slug string) (bool, error) {
	n, err := count(ctx, db, slugTakenSQL, slug)
	return n > 0, err
}

// companyColumnNames are the columns of a company in the order scanCompany reads them.
func companyColumnNames() []string {
	return []string{
		"id", "name", "slug", "email", "phone", "primary_colour", "secondary_colour", "is_active", "credits",
		"surveys_used", "version", "created_at", "updated_at", "deleted_at", "deleted_by",
	}
}

func scanCompany(row pagination.Scanner) (Company, error) {
	var c Company
	var created, updated, deleted sqldb.Time
	err := row.Scan(&c.ID, &c.Name, &c.Slug, &c.Email, &c.Phone, &c.PrimaryColour, &c.SecondaryColour, &c.Active,
		&c.Credits, &c.SurveysUsed, &c.Version, &created, &updated, &deleted, &c.DeletedBy)
	c.CreatedAt, c.UpdatedAt, c.DeletedAt = created.Time, updated.Time, deleted.Ptr()
	return c, err
}

const findCompanySQL = ` FROM companies AS c WHERE c.id = $1 AND c.deleted_at IS NULL`

// findCompany returns ErrNotFound for a deleted company too.
func findCompany(ctx context.Context, db sqldb.DB, id string) (Company, error) {
	company, err := scanCompany(db.QueryRow(ctx, "SELECT c."+strings.Join(companyColumnNames(), ", c.")+findCompanySQL, id))
	if err != nil {
		return Company{}, notFound("find company", err)
	}
	return company, nil
}

// search is the folded text that deleted companies are found by.
func (c Company) search() string { return pagination.Fold(c.Name + " " + c.Slug + " " + c.Email) }

const updateCompanySQL = `
UPDATE companies
   SET name = $1, email = $2, phone = $3, primary_colour = $4, secondary_colour = $5,
       updated_at = $6, search = $7, version = version + 1
 WHERE id = $8 AND version = $9 AND deleted_at IS NULL`

// updateCompany reports false when the version is not current any more.
func updateCompany(ctx context.Context, db sqldb.DB, c Company) (bool, error) {
	n, err := db.Exec(ctx, updateCompanySQL, c.Name, c.Email, c.Phone, c.PrimaryColour,
		c.SecondaryColour, sqldb.At(c.UpdatedAt), c.search(), c.ID, c.Version)
	if _, taken := sqldb.UniqueViolation(err); taken {
		return false, ErrEmailTaken
	}
	if err != nil {
		return false, fmt.Errorf("moving: update company: %w", err)
	}
	return n == 1, nil
}

// The WHERE clause keeps the balance from going below zero however many submissions come at once.
const useCreditSQL = `
UPDATE companies SET credits = credits - 1, surveys_used = surveys_used + 1, updated_at = $1
 WHERE id = $2 AND credits > 0 AND deleted_at IS NULL`

func useCredit(ctx context.Context, db sqldb.DB, companyID string, now time.Time) error {
	n, err := db.Exec(ctx, useCreditSQL, sqldb.At(now), companyID)
	if err != nil {
		return fmt.Errorf("moving: use credit: %w", err)
	}
	if n == 0 {
		return ErrCreditsExhausted
	}
	return nil
}

// count runs a statement that returns one number.
func count(ctx context.Context, db sqldb.DB, query string, args ...any) (int64, error) {
	var n int64
	if err := db.QueryRow(ctx, query, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("moving: count: %w", err)
	}
	return n, nil
}

// notFound turns the error of a single-row query into ErrNotFound where no row was there.
func notFound(op string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return fmt.Errorf("moving: %s: %w", op, err)
}
