package identity

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/permission"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
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
}

// SignUp makes the company, the account and the membership in one transaction and returns the
// account, to be signed in: this first session is the only one an account has before its address is
// confirmed. A taken address or slug leaves nothing behind.
func (s *Service) SignUp(ctx context.Context, in SignUp) (userID string, err error) {
	if s.mail == nil {
		return "", ErrNotConfigured // nobody could ever log in again
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
		return "", err
	}
	faults = append(faults, weak...)
	if len(faults) > 0 {
		return "", fault.Invalid(faults...)
	}
	// Before the transaction: hashing takes tens of milliseconds and the database one writer.
	hash, err := s.hash(ctx, in.Password)
	if err != nil {
		return "", err
	}
	now := s.clock()
	user := User{
		ID: uuid7.New(now), Username: generatedUsername(), Email: email,
		FullName: fullName, Role: permission.RoleUser, PasswordHash: hash, TermsAt: &now, CreatedAt: now, UpdatedAt: now,
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
			Name: in.CompanyName, Slug: in.Slug, Email: email, Phone: in.Phone, NamePointer: "#/company_name",
		})
		if err != nil {
			return err
		}
		if err := createMember(ctx, tx, user.ID, company.ID, CompanyOwner, "", now); err != nil {
			return err
		}
		err = s.record(ctx, tx, audit.Event{
			Action: trail.SignUp, Actor: trail.User(user.ID, company.ID), Entity: userEntity(user.ID),
		}, nil, newUserRecord(user))
		if err != nil {
			return err
		}
		return s.enqueue(ctx, tx, verifyEmailMail{user.ID})
	})
	if err != nil {
		return "", err
	}
	return user.ID, nil
}
