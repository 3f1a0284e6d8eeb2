package moving

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/examples/server/internal/trail"
	"github.com/groundwork-go/groundwork/internal/uuid7"
	"github.com/groundwork-go/groundwork/middleware"
	"github.com/groundwork-go/groundwork/sqldb"
)

// tokenPrefix tells survey tokens from other credentials, for people and for secret scanners.
const tokenPrefix = "svy_"

// Token is a new survey token. Only its hash is stored, so Secret is shown this once.
type Token struct {
	Secret    string
	URL       string // the customer's link; the token is in the fragment, which no server sees
	ExpiresAt time.Time
}

func newSecret() string {
	var random [32]byte
	rand.Read(random[:]) // never fails: the runtime ends the program instead
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(random[:])
}

func tokenHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// tokenLength is the length of every secret, 43 characters for 32 bytes; others are not looked up.
const tokenLength = len(tokenPrefix) + 43

const insertTokenSQL = `
INSERT INTO survey_tokens (id, sha256, company_id, job_id, reason, expires_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)`

func (s *Service) issueToken(ctx context.Context, tx sqldb.DB, at Survey, reason string, now time.Time) (Token, error) {
	token := Token{Secret: newSecret(), ExpiresAt: now.Add(surveyLife)}
	token.URL = s.publicURL + "/survey#token=" + token.Secret
	_, err := tx.Exec(ctx, insertTokenSQL, uuid7.New(now), tokenHash(token.Secret), at.CompanyID,
		at.MoveID, reason, sqldb.At(token.ExpiresAt), sqldb.At(now))
	if err != nil {
		return Token{}, fmt.Errorf("moving: insert token: %w", err)
	}
	return token, nil
}

const lockMoveSQL = `UPDATE jobs SET updated_at = $1 WHERE id = $2 AND company_id = $3 AND deleted_at IS NULL`

const revokeTokensSQL = `
UPDATE survey_tokens SET revoked_at = $1 WHERE job_id = $2 AND company_id = $3 AND revoked_at IS NULL`

// ReissueToken revokes every survey token of a move and issues one. A move therefore never has more
// than one live token.
func (s *Service) ReissueToken(ctx context.Context, at Survey) (Token, error) {
	var token Token
	err := s.db.InTx(ctx, func(tx sqldb.DB) error {
		now := s.now()
		if _, err := revokeTokens(ctx, tx, at, now); err != nil {
			return err
		}
		var err error
		if token, err = s.issueToken(ctx, tx, at, "reissue", now); err != nil {
			return err
		}
		return s.record(ctx, tx, at.CompanyID, trail.TokenIssue, audit.Entity{Type: entityMove, ID: at.MoveID}, nil,
			tokenRecord{Reason: "reissue", ExpiresAt: token.ExpiresAt})
	})
	return token, err
}

// RevokeTokens revokes every survey token of a move.
func (s *Service) RevokeTokens(ctx context.Context, at Survey) error {
	return s.db.InTx(ctx, func(tx sqldb.DB) error {
		revoked, err := revokeTokens(ctx, tx, at, s.now())
		if err != nil || revoked == 0 {
			return err
		}
		return s.record(ctx, tx, at.CompanyID, trail.TokenRevoke, audit.Entity{Type: entityMove, ID: at.MoveID},
			liveTokens{Live: revoked}, liveTokens{})
	})
}

// revokeTokens returns how many tokens were live.
func revokeTokens(ctx context.Context, tx sqldb.DB, at Survey, now time.Time) (int64, error) {
	if err := guard(ctx, tx, lockMoveSQL, at, now); err != nil {
		return 0, err
	}
	n, err := tx.Exec(ctx, revokeTokensSQL, sqldb.At(now), at.MoveID, at.CompanyID)
	if err != nil {
		return 0, fmt.Errorf("moving: revoke tokens: %w", err)
	}
	return n, nil
}

const extendTokensSQL = `
UPDATE survey_tokens SET expires_at = $1
 WHERE job_id = $2 AND company_id = $3 AND revoked_at IS NULL AND expires_at > $4 AND expires_at < $1`

// extendTokens lets the live tokens of a move last until its quote expires.
func extendTokens(ctx context.Context, tx sqldb.DB, at Survey, until, now time.Time) error {
	_, err := tx.Exec(ctx, extendTokensSQL, sqldb.At(until), at.MoveID, at.CompanyID, sqldb.At(now))
	if err != nil {
		return fmt.Errorf("moving: extend tokens: %w", err)
	}
	return nil
}

const findTokenSQL = `
SELECT t.company_id, t.job_id, t.expires_at, t.revoked_at, c.is_active,
       j.deleted_at IS NOT NULL OR c.deleted_at IS NOT NULL
  FROM survey_tokens AS t JOIN companies AS c ON c.id = t.company_id JOIN jobs AS j ON j.id = t.job_id
 WHERE t.sha256 = $1`

// OpenSurvey returns the move that a survey token opens. ErrUnauthenticated when the token is unknown
// or revoked, ErrGone when it has expired or the move or its company is deleted, ErrCompanyInactive when
// the company is off.
func (s *Service) OpenSurvey(ctx context.Context, secret string) (Survey, error) {
	if len(secret) != tokenLength || !strings.HasPrefix(secret, tokenPrefix) {
		return Survey{}, ErrUnauthenticated
	}
	var at Survey
	var expires, revoked sqldb.Time
	var active, deleted bool
	err := s.db.QueryRow(ctx, findTokenSQL, tokenHash(secret)).Scan(&at.CompanyID, &at.MoveID, &expires, &revoked, &active, &deleted)
	if err != nil {
		if err = notFound("find token", err); err == ErrNotFound { //nolint:errorlint // made one line above
			return Survey{}, ErrUnauthenticated
		}
		return Survey{}, err
	}
	switch {
	case deleted:
		return Survey{}, ErrGone
	case !revoked.IsZero():
		return Survey{}, ErrUnauthenticated
	case !s.now().Before(expires.Time):
		return Survey{}, ErrGone
	case !active:
		return Survey{}, ErrCompanyInactive
	}
	return at, nil
}

type surveyKey struct{}

// SurveyFrom returns the move that [Service.RequireSurvey] has found.
func SurveyFrom(ctx context.Context) (Survey, bool) {
	at, ok := ctx.Value(surveyKey{}).(Survey)
	return at, ok
}

// RequireSurvey lets only requests with a live survey token pass: exactly one Authorization header,
// "Bearer svy_...". Others get 401, 410 or 403.
func (s *Service) RequireSurvey(next http.Handler) http.Handler {
	return middleware.Handle(func(w http.ResponseWriter, r *http.Request) error {
		at, err := s.OpenSurvey(r.Context(), bearer(r))
		if err != nil {
			if err == ErrUnauthenticated { //nolint:errorlint // the sentinel itself, not a wrapped copy
				challenge(w, r)
			}
			return err
		}
		ctx := trail.WithCustomer(r.Context(), at.MoveID, at.CompanyID)
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, surveyKey{}, at)))
		return nil
	})
}

// bearer returns the one bearer credential of a request, "" when there is none or more than one.
func bearer(r *http.Request) string {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, credential, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(credential, " ")
}

func challenge(w http.ResponseWriter, r *http.Request) {
	value := "Bearer"
	if r.Header.Get("Authorization") != "" {
		value += ` error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", value)
}
