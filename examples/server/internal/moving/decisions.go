package moving

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/sqldb"
)

// Submit hands the survey in: its quote is frozen and one credit used, or nothing happens at all. A
// survey that was handed in before is left as it is. change, which may be nil, edits the contact
// first. Errors: ErrSurveyIncomplete with the member "missing", ErrAnalysisRunning,
// ErrCreditsExhausted.
func (s *Service) Submit(ctx context.Context, at Survey, change func(*Move) []fault.Field) (Move, error) {
	var move Move
	err := s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.now()
		before, after, err := fire(ctx, tx, eventSubmit, at, now)
		move = after
		if errors.Is(err, ErrInvalidState) && move.Mode == ModeSurveyOnly {
			before, move, err = fire(ctx, tx, eventSubmitSurvey, at, now)
		}
		if errors.Is(err, ErrInvalidState) && move.SubmittedAt != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if change != nil {
			before := move
			if faults := append(change(&move), move.faults(before, now)...); len(faults) > 0 {
				return fault.Invalid(faults...)
			}
		}
		move.UpdatedAt = now
		if err := updateMove(ctx, tx, move); err != nil {
			return err
		}
		if err := s.complete(ctx, tx, at, now); err != nil {
			return err
		}
		if move, err = findMove(ctx, tx, at); err != nil {
			return err
		}
		return s.recordMove(ctx, tx, trail.Submit, before, move)
	})
	return move, err
}

// complete checks a survey that is being handed in, freezes its quote and takes the credit.
func (s *Service) complete(ctx context.Context, tx sqldb.DB, at Survey, now time.Time) error {
	survey, err := overview(ctx, tx, at)
	if err != nil {
		return err
	}
	if missing := survey.Missing(); len(missing) > 0 {
		return fault.With(ErrSurveyIncomplete, "missing", missing)
	}
	if survey.Active {
		return ErrAnalysisRunning
	}
	if !survey.Company.Active {
		return ErrCompanyInactive
	}
	if err := useCredit(ctx, tx, at.CompanyID, now); err != nil {
		return err
	}
	if survey.Move.Mode == ModeSurveyOnly {
		return nil
	}
	list, err := findPricing(ctx, tx, at.CompanyID)
	if err != nil {
		return err
	}
	return storeQuote(ctx, tx, at, pricing.Compute(list.Config, survey.pricing()))
}

const storeQuoteSQL = `UPDATE jobs SET quote = $1 WHERE id = $2 AND company_id = $3`

func storeQuote(ctx context.Context, tx sqldb.DB, at Survey, q pricing.Quote) error {
	text, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("moving: encode quote: %w", err)
	}
	if _, err := tx.Exec(ctx, storeQuoteSQL, string(text), at.MoveID, at.CompanyID); err != nil {
		return fmt.Errorf("moving: store quote: %w", err)
	}
	return nil
}

// pricing turns the survey into what the price function reads.
func (o Overview) pricing() pricing.Survey {
	survey := pricing.Survey{
		Pickup: o.Move.Pickup.point(), Dropoff: o.Move.Dropoff.point(),
		PickupAccess: o.Move.PickupAccess.pricing(), DropoffAccess: o.Move.DropoffAccess.pricing(),
		CustomerProvidesPacking: o.Move.CustomerProvidesPacking,
	}
	for _, room := range o.Rooms {
		priced := pricing.Room{Name: room.Name, Pack: room.PackRequested}
		for _, item := range room.Items {
			row := pricing.Item{Qty: item.Qty, Fragile: item.Fragile, Packing: pricing.Packing(item.Packing)}
			if item.Volume != nil {
				row.Volume = *item.Volume
			}
			if item.Weight != nil {
				row.Weight = *item.Weight
			}
			priced.Items = append(priced.Items, row)
		}
		survey.Rooms = append(survey.Rooms, priced)
	}
	return survey
}

// QuoteView is a quote with the survey it belongs to.
type QuoteView struct {
	Overview Overview
	Quote    pricing.Quote
	Frozen   bool // handed in: later changes of the price list do not matter
}

// Quote returns the quote of a move: of the moment while the survey is open, the frozen one after
// that. ErrNotFound for a survey that asks for no quote.
func (s *Service) Quote(ctx context.Context, at Survey) (QuoteView, error) {
	survey, err := overview(ctx, s.db, at)
	if err != nil {
		return QuoteView{}, err
	}
	if survey.Move.Mode == ModeSurveyOnly {
		return QuoteView{}, ErrNotFound
	}
	return s.quote(ctx, survey)
}

// Packing returns the quote that packing figures are taken from, for surveys without prices too.
func (s *Service) Packing(ctx context.Context, at Survey) (QuoteView, error) {
	survey, err := overview(ctx, s.db, at)
	if err != nil {
		return QuoteView{}, err
	}
	return s.quote(ctx, survey)
}

func (s *Service) quote(ctx context.Context, survey Overview) (QuoteView, error) {
	if q := survey.Move.Quote; q != nil {
		return QuoteView{Overview: survey, Quote: *q, Frozen: true}, nil
	}
	list, err := findPricing(ctx, s.db, survey.Move.CompanyID)
	if err != nil {
		return QuoteView{}, err
	}
	return QuoteView{Overview: survey, Quote: pricing.Compute(list.Config, survey.pricing())}, nil
}

const setPriceSQL = `
UPDATE jobs SET final_price_pence = $1, quote_expires_at = $2 WHERE id = $3 AND company_id = $4`

// Approve gives a move its final price, or the middle of its range when price is nil. The quote can
// then be accepted for thirty days, and the customer's tokens last as long. ErrInvalidState when the
// move does not await approval.
func (s *Service) Approve(ctx context.Context, at Survey, price *int64) (Move, error) {
	var move Move
	err := s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.now()
		before, after, err := fire(ctx, tx, eventApprove, at, now)
		move = after
		if err != nil {
			return err
		}
		if move.Quote == nil {
			return fmt.Errorf("moving: move %s awaits approval without a quote", move.ID)
		}
		final := pricing.Midpoint(move.Quote.Low, move.Quote.High)
		if price != nil {
			final = *price
		}
		// A price list that charges next to nothing has a range of 0 to 0 pounds.
		final = max(final, 1)
		until := now.Add(quoteLife)
		if _, err := tx.Exec(ctx, setPriceSQL, final, sqldb.At(until), at.MoveID, at.CompanyID); err != nil {
			return fmt.Errorf("moving: set price: %w", err)
		}
		if err := extendTokens(ctx, tx, at, until, now); err != nil {
			return err
		}
		if move, err = findMove(ctx, tx, at); err != nil {
			return err
		}
		return s.recordMove(ctx, tx, trail.Approve, before, move)
	})
	return move, err
}

// Accept accepts the final price, which the customer names as seen. Accepting once more at the same
// price changes nothing. Errors: ErrInvalidState, ErrPriceChanged, ErrQuoteExpired.
func (s *Service) Accept(ctx context.Context, at Survey, price int64) (Move, error) {
	var move Move
	err := s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.now()
		before, after, err := fire(ctx, tx, eventAccept, at, now)
		move = after
		same := move.FinalPrice != nil && *move.FinalPrice == price
		switch {
		case errors.Is(err, ErrInvalidState) && move.Status == Accepted && same:
			return nil
		case err != nil:
			return err
		case !same:
			return ErrPriceChanged
		case move.QuoteExpiresAt == nil || !now.Before(*move.QuoteExpiresAt):
			return ErrQuoteExpired
		}
		return s.recordMove(ctx, tx, trail.Accept, before, move)
	})
	return move, err
}
