package identity

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/sqldb"
)

// SignUp describes a new company and its first owner.
type SignUp struct {
	CompanyName string
	Slug        string
	Email       string
	FullName    string
	Phone       string // "" for none
	Password    string
	AcceptTerms bool
	Client      Client
}

// SignUp makes the company, the account and the membership in one transaction and signs the owner
// in. A taken address or slug leaves nothing behind. This first session is the only one an account
// has before its address is confirmed.
func (s *Service) SignUp(ctx context.Context, in SignUp) (Session, error) {
	if s.mail == nil {
		return Session{}, ErrNotConfigured // nobody could ever log in again
	}
	email, ok := normalEmail(in.Email)
	fullName := strings.TrimSpace(in.FullName)
	var faults []fault.Field
	if !ok {
		faults = append(faults, fault.Body("#/email", fault.FieldBadFormat, "Use a plain e-mail address."))
	}
	if n := utf8.RuneCountInString(fullName); n < 1 || n > 200 {
		faults = append(faults, fault.Body("#/full_name", fault.FieldRequired, "Use 1 to 200 characters."))
	}
	if !in.AcceptTerms {
		faults = append(faults, fault.Body("#/accept_terms", fault.FieldNotAllowed, "Accept the terms to sign up."))
	}
	weak, err := s.passwordFaults(ctx, "#/password", in.Password)
	if err != nil {
		return Session{}, err
	}
	faults = append(faults, weak...)
	if len(faults) > 0 {
		return Session{}, fault.Invalid(faults...)
	}
	// Before the transaction: hashing takes tens of milliseconds and the database one writer.
	hash, err := s.hash(ctx, in.Password)
	if err != nil {
		return Session{}, err
	}
	now := s.clock()
	user := User{
		ID: uuid7.New(now), Username: generatedUsername(), Email: email,
		FullName: fullName, Role: globalUser, PasswordHash: hash, TermsAt: &now, CreatedAt: now, UpdatedAt: now,
	}
	var company Company
	err = s.db.InTx(ctx, func(tx sqldb.DB) error {
		created, err := createUser(ctx, tx, user)
		if err != nil {
			return err
		}
		if !created {
			return ErrEmailTaken
		}
		company, err = s.companies.Create(ctx, tx, NewCompany{
			Name: in.CompanyName, Slug: in.Slug, Email: email, Phone: in.Phone,
		})
		if err != nil {
			return err
		}
		if err := createMember(ctx, tx, user.ID, company.ID, CompanyOwner, "", now); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, verifyEmailMail{user.ID})
	})
	if err != nil {
		return Session{}, err
	}
	return s.start(ctx, user.ID, in.Client)
}
