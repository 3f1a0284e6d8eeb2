package moving

import (
	"github.com/groundwork-go/groundwork/examples/server/internal/fault"
	"github.com/groundwork-go/groundwork/examples/server/internal/rest"
)

// Faults of this domain that callers branch on. Each knows its status and code.
var (
	ErrNotFound        = fault.New(fault.NotFound, "There is nothing here that you can see.")
	ErrUnauthenticated = fault.New(fault.Unauthenticated, "Send a valid survey token as Authorization: Bearer.")
	ErrGone            = fault.New(fault.Gone, "This survey link has expired. Ask the company for a new one.")
	ErrCompanyInactive = fault.New(fault.CompanyInactive, "This company has been switched off.")

	ErrSlugTaken       = fault.New(fault.SlugTaken, "Another company uses this short name.")
	ErrEmailTaken      = fault.New(fault.EmailTaken, "Another company uses this e-mail address.")
	ErrStale           = fault.New(fault.StaleVersion, "The entity has changed since you read it. Read it again.")
	ErrIfMatchRequired = fault.New(fault.IfMatchRequired, "Send If-Match with the ETag you read.")
	ErrBadIfMatch      = rest.ErrBadIfMatch

	ErrForbidden        = fault.New(fault.Forbidden, "Your role in the company does not allow this.")
	ErrNotDeleted       = fault.New(fault.NotDeleted, "This is not deleted.")
	ErrParentDeleted    = fault.New(fault.ParentDeleted, "What this belongs to is deleted.")
	ErrOpenMoves        = fault.New(fault.OpenJobs, "Moves are accepted or booked. Complete or cancel them first.")
	ErrMemberElsewhere  = fault.New(fault.AlreadyMember, "Somebody who was a member belongs to another company now.")
	ErrInvalidState     = fault.New(fault.InvalidState, "The present status of the move does not allow this.")
	ErrCreditsExhausted = fault.New(fault.CreditsExhausted, "The company has no survey credit left.")
	ErrSurveyIncomplete = fault.New(fault.SurveyIncomplete, "The survey is not complete yet.")
	ErrAnalysisRunning  = fault.New(fault.AnalysisRunning, "An analysis is under way. Wait until it has finished.")
	ErrPriceChanged     = fault.New(fault.PriceChanged, "The price is not the one you confirmed.")
	ErrQuoteExpired     = fault.New(fault.QuoteExpired, "The quote has expired. Ask the company for a new one.")

	ErrTooManyRooms      = fault.New(fault.LimitReached, "A move has at most 40 rooms.")
	ErrTooManyItems      = fault.New(fault.LimitReached, "A room has at most 300 items.")
	ErrTooManyRoomPhotos = fault.New(fault.LimitReached, "A room has at most 30 photos.")
	ErrTooManyPhotos     = fault.New(fault.LimitReached, "A move has at most 120 photos.")
	ErrNoPhotos          = fault.New(fault.InvalidState, "The room has no photos.")

	ErrNotConfigured = fault.New(fault.NotConfigured, "Photo analysis is not set up on this server.")

	ErrTooLarge     = fault.New(fault.TooLarge, "A photo has at most 10 MiB.")
	ErrNotMultipart = fault.New(fault.UnsupportedMedia, "Send multipart/form-data with up to six files named photos.")
	ErrMalformed    = fault.New(fault.Malformed, "The multipart body cannot be read.")
)
