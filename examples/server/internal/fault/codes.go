package fault

import "net/http"

// The codes of answers. Each has exactly one status: see [Status].
const (
	Malformed        = "malformed"
	InvalidToken     = "invalid_token"
	InvalidSignature = "invalid_signature"

	Unauthenticated    = "unauthenticated"
	InvalidCredentials = "invalid_credentials"
	InvalidRefresh     = "invalid_refresh"
	RefreshReused      = "refresh_reused"
	TokenOutdated      = "token_outdated"

	CreditsExhausted     = "credits_exhausted"
	SubscriptionRequired = "subscription_required"

	Forbidden        = "forbidden"
	Escalation       = "escalation"
	EmailNotVerified = "email_not_verified"
	AccountDisabled  = "account_disabled"
	WrongPassword    = "wrong_password"
	NoCompany        = "no_company"
	CompanyInactive  = "company_inactive"
	IntakeClosed     = "intake_closed"
	CrossOrigin      = "cross_origin"
	BadSignature     = "bad_signature"

	NotFound         = "not_found"
	MethodNotAllowed = "method_not_allowed"

	InvalidState          = "invalid_state"
	Conflict              = "conflict"
	UsernameTaken         = "username_taken"
	EmailTaken            = "email_taken"
	SlugTaken             = "slug_taken"
	NameTaken             = "name_taken"
	AlreadyMember         = "already_member"
	AlreadyInvited        = "already_invited"
	LastOwner             = "last_owner"
	LastAdmin             = "last_admin"
	OwnRole               = "own_role"
	OwnContent            = "own_content"
	BuiltIn               = "built_in"
	InUse                 = "in_use"
	NotDeleted            = "not_deleted"
	ParentDeleted         = "parent_deleted"
	OpenJobs              = "open_jobs"
	RefreshSuperseded     = "refresh_superseded"
	IdempotencyInProgress = "idempotency_in_progress"
	AnalysisRunning       = "analysis_running"
	NoDocument            = "no_document"
	TermsRequired         = "terms_required"
	TermsOutdated         = "terms_outdated"
	PriceChanged          = "price_changed"
	QuoteExpired          = "quote_expired"
	AlreadyPaid           = "already_paid"
	PaymentsNotReady      = "payments_not_ready"
	ListingClosed         = "listing_closed"
	DuplicateBid          = "duplicate_bid"
	AlreadyUnlocked       = "already_unlocked"
	AttemptInProgress     = "attempt_in_progress"
	NotPending            = "not_pending"
	NotInReview           = "not_in_review"
	DuplicateLandmark     = "duplicate_landmark"
	LimitReached          = "limit_reached"

	Gone             = "gone"
	StaleVersion     = "stale_version"
	IfMatchRequired  = "if_match_required"
	TooLarge         = "too_large"
	UnsupportedMedia = "unsupported_media"
	WrongHost        = "wrong_host"

	ValidationFailed     = "validation_failed"
	IdempotencyKeyReused = "idempotency_key_reused"
	SurveyIncomplete     = "survey_incomplete"
	PrivateHost          = "private_host"
	ImageEmpty           = "image_empty"
	ImageCorrupt         = "image_corrupt"
	ImageDimensions      = "image_dimensions"
	ImageInfected        = "image_infected"
	AreaCycle            = "area_cycle"
	AreaTooDeep          = "area_too_deep"
	UnreachableSpot      = "unreachable_photo_spot"
	OutsideUnlockRadius  = "outside_unlock_radius"
	OutsidePhotoRadius   = "outside_photo_radius"
	LocationTooImprecise = "location_too_imprecise"
	PhotoReused          = "photo_reused"

	RateLimited    = "rate_limited"
	ClientClosed   = "client_closed"
	Internal       = "internal"
	UpstreamFailed = "upstream_failed"
	Unavailable    = "unavailable"
	Busy           = "busy"
	NotConfigured  = "not_configured"
)

// The codes of single faults, members of errors[].
const (
	FieldRequired            = "required"
	FieldUnknown             = "unknown_field"
	FieldWrongType           = "wrong_type"
	FieldNotNullable         = "not_nullable"
	FieldReadOnly            = "read_only"
	FieldTooShort            = "too_short"
	FieldTooLong             = "too_long"
	FieldOutOfRange          = "out_of_range"
	FieldBadFormat           = "bad_format"
	FieldNotAllowed          = "not_allowed"
	FieldUnknownReference    = "unknown_reference"
	FieldWrongScope          = "wrong_scope"
	FieldUnknownParameter    = "unknown_parameter"
	FieldRepeatedParameter   = "repeated_parameter"
	FieldExclusiveParameters = "exclusive_parameters"
	FieldUnknownSort         = "unknown_sort"
	FieldInvalidCursor       = "invalid_cursor"
	FieldTooDeep             = "too_deep"
	FieldPasswordTooShort    = "password_too_short"
	FieldPasswordTooLong     = "password_too_long"
	FieldPasswordNeedsUpper  = "password_needs_upper"
	FieldPasswordNeedsDigit  = "password_needs_digit"
	FieldPasswordCommon      = "password_common"
)

// Status returns the one status of a code, and false for a code that is not in the table.
func Status(code string) (int, bool) {
	switch code {
	case Malformed, InvalidToken, InvalidSignature:
		return http.StatusBadRequest, true
	case Unauthenticated, InvalidCredentials, InvalidRefresh, RefreshReused, TokenOutdated:
		return http.StatusUnauthorized, true
	case CreditsExhausted, SubscriptionRequired:
		return http.StatusPaymentRequired, true
	case Forbidden, Escalation, EmailNotVerified, AccountDisabled, WrongPassword, NoCompany,
		CompanyInactive, IntakeClosed, CrossOrigin, BadSignature:
		return http.StatusForbidden, true
	case NotFound:
		return http.StatusNotFound, true
	case MethodNotAllowed:
		return http.StatusMethodNotAllowed, true
	case InvalidState, Conflict, UsernameTaken, EmailTaken, SlugTaken, NameTaken, AlreadyMember,
		AlreadyInvited, LastOwner, LastAdmin, OwnRole, OwnContent, BuiltIn, InUse, NotDeleted,
		ParentDeleted, OpenJobs, RefreshSuperseded, IdempotencyInProgress, AnalysisRunning, NoDocument,
		TermsRequired, TermsOutdated, PriceChanged, QuoteExpired, AlreadyPaid, PaymentsNotReady,
		ListingClosed, DuplicateBid, AlreadyUnlocked, AttemptInProgress, NotPending, NotInReview,
		DuplicateLandmark, LimitReached:
		return http.StatusConflict, true
	case Gone:
		return http.StatusGone, true
	case StaleVersion:
		return http.StatusPreconditionFailed, true
	case IfMatchRequired:
		return http.StatusPreconditionRequired, true
	case TooLarge:
		return http.StatusRequestEntityTooLarge, true
	case UnsupportedMedia:
		return http.StatusUnsupportedMediaType, true
	case WrongHost:
		return http.StatusMisdirectedRequest, true
	case ValidationFailed, IdempotencyKeyReused, SurveyIncomplete, PrivateHost, ImageEmpty,
		ImageCorrupt, ImageDimensions, ImageInfected, AreaCycle, AreaTooDeep, UnreachableSpot,
		OutsideUnlockRadius, OutsidePhotoRadius, LocationTooImprecise, PhotoReused:
		return http.StatusUnprocessableEntity, true
	case RateLimited:
		return http.StatusTooManyRequests, true
	case ClientClosed:
		return 499, true
	case Internal:
		return http.StatusInternalServerError, true
	case UpstreamFailed:
		return http.StatusBadGateway, true
	case Unavailable, Busy, NotConfigured:
		return http.StatusServiceUnavailable, true
	}
	return 0, false
}
