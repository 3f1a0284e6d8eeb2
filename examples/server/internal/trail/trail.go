// Package trail is what the domains share of the server's audit trail: the words of an entry, and the
// way its actor and its request get into the context. Entries are written with package audit, in the
// transaction of the change they tell about:
//
//	err = s.audit.ChangeTo(ctx, sqlaudit.On(tx), audit.Event{
//		Action: trail.Update, Entity: audit.Entity{Type: "company", ID: id},
//	}, before, after)
//
// Actor, company and request need not be given: authentication has put them into ctx. A change of
// nothing leaves no entry. Sign-ins, which have no transaction of their own, use Logger.Log: it never
// fails a request.
//
// The trail is insert-only and outlives what it tells about. It holds ids: names, addresses and contact
// data of people are masked by the struct tag audit:"redact", so that an entry shows that they changed
// and a purge need not touch it.
package trail

import (
	"context"
	"net/http"

	"github.com/groundwork-go/groundwork/audit"
	"github.com/groundwork-go/groundwork/middleware"
)

// Actions, the closed vocabulary of [audit.Event.Action].
const (
	Create  = "create"
	Update  = "update"
	Delete  = "delete"
	Restore = "restore"
	Purge   = "purge"

	Register      = "register"
	SignUp        = "signup"
	VerifyEmail   = "verify_email"
	LogIn         = "login"
	LogInFailed   = "login_failed"
	LogOut        = "logout"
	LogOutAll     = "logout_all"
	RefreshReuse  = "refresh_reuse"
	SessionRevoke = "session_revoke"

	PasswordChange = "password_change"
	PasswordReset  = "password_reset"
	EmailChange    = "email_change"
	RoleChange     = "role_change"

	Invite       = "invite"
	InviteAccept = "invite_accept"
	InviteRevoke = "invite_revoke"
	MemberChange = "member_change"
	MemberRemove = "member_remove"
	CompanyClose = "company_close"

	Verify         = "verify"
	Unverify       = "unverify"
	AttemptRefused = "attempt_refused"
	AttemptCancel  = "attempt_cancel"
	Unlock         = "unlock"
	Review         = "review"

	TokenIssue  = "token_issue"
	TokenRevoke = "token_revoke"
	Submit      = "submit"
	Override    = "override"
	Approve     = "approve"
	Reject      = "reject"
	SendBack    = "send_back"
	Reopen      = "reopen"
	Accept      = "accept"
	Decline     = "decline"
	Book        = "book"
	Complete    = "complete"
	Cancel      = "cancel"
	TermsAccept = "terms_accept"
	Export      = "export"

	DepositPaid      = "deposit_paid"
	DepositRefund    = "deposit_refund"
	CreditsAdjust    = "credits_adjust"
	Bid              = "bid"
	BidWithdraw      = "bid_withdraw"
	Award            = "award"
	Broadcast        = "broadcast"
	CommissionCharge = "commission_charge"

	QueueRetry  = "queue_retry"
	QueueCancel = "queue_cancel"
	QueueDrop   = "queue_drop"
	FileDelete  = "file_delete"
)

// Actions lists the vocabulary, for the filter of the lists.
func Actions() []string {
	return []string{
		Create, Update, Delete, Restore, Purge,
		Register, SignUp, VerifyEmail, LogIn, LogInFailed, LogOut, LogOutAll, RefreshReuse, SessionRevoke,
		PasswordChange, PasswordReset, EmailChange, RoleChange,
		Invite, InviteAccept, InviteRevoke, MemberChange, MemberRemove, CompanyClose,
		Verify, Unverify, AttemptRefused, AttemptCancel, Unlock, Review,
		TokenIssue, TokenRevoke, Submit, Override, Approve, Reject, SendBack, Reopen, Accept, Decline, Book,
		Complete, Cancel, TermsAccept, Export,
		DepositPaid, DepositRefund, CreditsAdjust, Bid, BidWithdraw, Award, Broadcast, CommissionCharge,
		QueueRetry, QueueCancel, QueueDrop, FileDelete,
	}
}

// Types of actors besides [audit.ActorUser] and [audit.ActorSystem].
const (
	ActorCustomer = "customer" // the holder of a survey token; the ID is that of the move
	ActorStripe   = "stripe"   // a webhook
)

// User is an account as an actor. The company is "" for one that belongs to none; entries belong to
// the company of their actor unless they name another.
func User(id, companyID string) audit.Actor {
	return audit.Actor{Type: audit.ActorUser, ID: id, Tenant: companyID}
}

// WithUser returns a context whose entries are by an account in one of its sessions.
func WithUser(ctx context.Context, id, companyID, sessionID string) context.Context {
	request, _ := audit.RequestOf(ctx)
	request.SessionID = sessionID
	return audit.WithActor(audit.WithRequest(ctx, request), User(id, companyID))
}

// WithCustomer returns a context whose entries are by the holder of a move's survey token.
func WithCustomer(ctx context.Context, moveID, companyID string) context.Context {
	return audit.WithActor(ctx, audit.Actor{Type: ActorCustomer, ID: moveID, Tenant: companyID})
}

// WithSystem returns a context whose entries are by a queue job.
func WithSystem(ctx context.Context, kind string) context.Context {
	return audit.WithActor(ctx, audit.Actor{Type: audit.ActorSystem, ID: kind})
}

// Request is a middleware that tells entries where their request came from. It runs inside the mux
// and before authentication.
func Request(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := audit.Request{
			ID: middleware.RequestIDFrom(r.Context()), UserAgent: r.UserAgent(),
			Method: r.Method, Path: r.URL.EscapedPath(), // no query: it may hold what people typed
		}
		if ip := middleware.ClientIPFrom(r.Context()); ip.IsValid() {
			request.IP = ip.String()
		}
		next.ServeHTTP(w, r.WithContext(audit.WithRequest(r.Context(), request)))
	})
}

// By names the actor of ctx for columns such as deleted_by: the id of an account, otherwise what kind of
// actor it is.
func By(ctx context.Context) string {
	actor, ok := audit.ActorFrom(ctx)
	switch {
	case !ok:
		return audit.ActorSystem
	case actor.Type == audit.ActorUser:
		return actor.ID
	}
	return actor.Type
}
