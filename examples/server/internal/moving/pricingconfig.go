package moving

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/sqldb"
)

// PriceList is a company's price list with its version.
type PriceList struct {
	pricing.Config
	Version   int64
	UpdatedAt time.Time
}

// PriceList returns the price list of a company.
func (s *Service) PriceList(ctx context.Context, companyID string) (PriceList, error) {
	return findPricing(ctx, s.db, companyID)
}

// ReplacePriceList stores a new price list. It demands If-Match: ErrIfMatchRequired without it,
// ErrStale when the version is another.
func (s *Service) ReplacePriceList(ctx context.Context, companyID string, match IfMatch, c pricing.Config) (PriceList, error) {
	if faults := priceFaults("#/", c); len(faults) > 0 {
		return PriceList{}, fault.Invalid(faults...)
	}
	if !match.Sent() {
		return PriceList{}, ErrIfMatchRequired
	}
	for range maxRaces {
		current, err := findPricing(ctx, s.db, companyID)
		if err != nil {
			return PriceList{}, err
		}
		if !match.Accepts(current.Version) {
			return PriceList{}, ErrStale
		}
		updated := false
		err = s.db.InTx(ctx, func(tx sqldb.DB) error {
			if updated, err = updatePricing(ctx, tx, companyID, current.Version, c, s.now()); err != nil || !updated {
				return err
			}
			return s.record(ctx, tx, companyID, trail.Update, audit.Entity{Type: entityPricing, ID: companyID}, current.Config, c)
		})
		if err != nil {
			return PriceList{}, err
		}
		if updated {
			return findPricing(ctx, s.db, companyID)
		}
	}
	return PriceList{}, ErrStale
}

// priceFaults turns the faults of a price list into pointers below prefix.
func priceFaults(prefix string, c pricing.Config) []fault.Field {
	var faults []fault.Field
	for _, name := range c.Faults() {
		faults = append(faults, fault.Body(prefix+name, fault.FieldOutOfRange, "The number is outside its range."))
	}
	return faults
}

// The columns are the fields of pricing.Config, so the statements are built from its table.

func pricingColumns() []string {
	var c pricing.Config
	fields := c.Fields()
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

func selectPricingSQL() string {
	return "SELECT p." + strings.Join(pricingColumns(), ", p.") +
		", p.version, p.updated_at FROM company_pricing AS p WHERE p.company_id = $1"
}

func insertPricingSQL() string {
	columns := pricingColumns()
	marks := make([]string, len(columns))
	for i := range columns {
		marks[i] = "$" + strconv.Itoa(i+2)
	}
	n := len(columns) + 2
	return fmt.Sprintf("INSERT INTO company_pricing (company_id, %s, version, created_at, updated_at) VALUES ($1, %s, 1, $%d, $%d)",
		strings.Join(columns, ", "), strings.Join(marks, ", "), n, n+1)
}

func updatePricingSQL() string {
	columns := pricingColumns()
	sets := make([]string, len(columns))
	for i, name := range columns {
		sets[i] = name + " = $" + strconv.Itoa(i+1)
	}
	n := len(columns) + 1
	return fmt.Sprintf("UPDATE company_pricing SET %s, updated_at = $%d, version = version + 1 WHERE company_id = $%d AND version = $%d",
		strings.Join(sets, ", "), n, n+1, n+2)
}

func pricingValues(c pricing.Config) []any {
	fields := c.Fields()
	values := make([]any, len(fields))
	for i, f := range fields {
		values[i] = *f.Value
	}
	return values
}

func insertPricing(ctx context.Context, db sqldb.DB, companyID string, c pricing.Config, now time.Time) error {
	args := append([]any{companyID}, pricingValues(c)...)
	if _, err := db.Exec(ctx, insertPricingSQL(), append(args, sqldb.At(now), sqldb.At(now))...); err != nil {
		return fmt.Errorf("moving: insert pricing: %w", err)
	}
	return nil
}

func findPricing(ctx context.Context, db sqldb.DB, companyID string) (PriceList, error) {
	var list PriceList
	var dest []any
	for _, f := range list.Fields() {
		dest = append(dest, f.Value)
	}
	var updated sqldb.Time
	err := db.QueryRow(ctx, selectPricingSQL(), companyID).Scan(append(dest, &list.Version, &updated)...)
	if err != nil {
		return PriceList{}, notFound("find pricing", err)
	}
	list.UpdatedAt = updated.Time
	return list, nil
}

// updatePricing reports false when the version is not current any more.
func updatePricing(ctx context.Context, db sqldb.DB, companyID string, version int64, c pricing.Config, now time.Time) (bool, error) {
	args := append(pricingValues(c), sqldb.At(now), companyID, version)
	n, err := db.Exec(ctx, updatePricingSQL(), args...)
	if err != nil {
		return false, fmt.Errorf("moving: update pricing: %w", err)
	}
	return n == 1, nil
}
