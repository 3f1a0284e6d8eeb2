package moving

import (
	"time"

	"github.com/groundwork-go/groundwork/examples/server/internal/moving/pricing"
)

// Status is where a move stands.
type Status string

// The statuses of a move.
const (
	InProgress       Status = "in_progress"
	SurveyComplete   Status = "survey_complete"
	AwaitingApproval Status = "awaiting_approval"
	Approved         Status = "approved"
	Accepted         Status = "accepted"
)

// Mode says what a survey leads to.
type Mode string

// The modes of a survey.
const (
	ModeQuote      Mode = "quote"
	ModeSurveyOnly Mode = "survey_only" // an inventory, no prices
)

// Limits of one move.
const (
	maxRooms      = 40
	maxItems      = 300 // rows of a room
	maxRoomPhotos = 30
	maxMovePhotos = 120
)

const (
	surveyLife = 30 * 24 * time.Hour
	quoteLife  = 30 * 24 * time.Hour
)

// Move is a row of jobs: one customer's move from survey to acceptance.
type Move struct {
	ID        string
	CompanyID string
	Mode      Mode
	Status    Status

	Name, Email, Phone              *string // the customer
	Pickup, Dropoff                 *Place
	PickupProperty, DropoffProperty *string
	PickupAccess, DropoffAccess     *Access
	MoveDate                        *string // 2006-01-02
	CustomerProvidesPacking         bool

	Quote          *pricing.Quote // frozen at submission
	FinalPrice     *int64
	QuoteExpiresAt *time.Time

	SubmittedAt, ApprovedAt, AcceptedAt *time.Time
	Version                             int64
	CreatedAt, UpdatedAt                time.Time
	DeletedAt                           *time.Time
	DeletedBy                           *string
}

// Place is an address. Without coordinates the distance costs nothing.
type Place struct {
	Label string   `json:"label" minLength:"1" maxLength:"300" example:"12 High Street, London" doc:"The address as the customer writes it."`
	City  *string  `json:"city" maxLength:"100" example:"London"`
	Lat   *float64 `json:"lat" minimum:"-90" maximum:"90" example:"51.5074" doc:"Degrees north; together with lng."`
	Lng   *float64 `json:"lng" minimum:"-180" maximum:"180" example:"-0.1278" doc:"Degrees east; together with lat."`
}

func (p *Place) point() *pricing.Point {
	if p == nil || p.Lat == nil || p.Lng == nil {
		return nil
	}
	return &pricing.Point{Lat: *p.Lat, Lng: *p.Lng}
}

// Access is how a place is reached.
type Access struct {
	Floors          int64    `json:"floors" required:"false" minimum:"0" maximum:"200" example:"3" doc:"Floors above or below the ground floor. Default 0."`
	HasLift         bool     `json:"has_lift" required:"false" example:"false" doc:"Default false."`
	ParkingType     string   `json:"parking_type" enum:"driveway,street,permit_zone,limited" example:"permit_zone"`
	ParkingDistance int64    `json:"parking_distance_m" required:"false" minimum:"0" maximum:"10000" example:"120" doc:"Metres between van and door. Default 0."`
	Restrictions    []string `json:"restrictions" required:"false" nullable:"false" maxItems:"5" uniqueItems:"true" enum:"narrow_stairs,narrow_doorways,narrow_hallway,time_restrictions,booking_required"`
	OutdoorAccess   string   `json:"outdoor_access" enum:"direct,path,steps" example:"direct" doc:"The way from the street to the door."`
	OutdoorSteps    int64    `json:"outdoor_steps" required:"false" minimum:"0" maximum:"1000" example:"0" doc:"Default 0."`
	Notes           *string  `json:"notes" required:"false" maxLength:"1000" audit:"redact"`
}

func (a *Access) pricing() *pricing.Access {
	if a == nil {
		return nil
	}
	restrictions := make([]pricing.Restriction, len(a.Restrictions))
	for i, r := range a.Restrictions {
		restrictions[i] = pricing.Restriction(r)
	}
	return &pricing.Access{
		Floors: a.Floors, HasLift: a.HasLift, Parking: pricing.Parking(a.ParkingType),
		ParkingDistance: a.ParkingDistance, Restrictions: restrictions,
		Outdoor: pricing.Outdoor(a.OutdoorAccess), OutdoorSteps: a.OutdoorSteps,
	}
}

// Room is a room of a move with what was found in it.
type Room struct {
	ID            string
	Name          string
	Summary       *string // by the model
	PackRequested bool
	Version       int64
	CreatedAt     time.Time
	UpdatedAt     time.Time
	Items         []Item
	Photos        []Photo
}

// Source tells who put an item on the list.
type Source string

// The sources of items.
const (
	SourceAI       Source = "ai"
	SourceCustomer Source = "customer"
)

// Item is one row of the inventory. Figures are for one piece.
type Item struct {
	ID, RoomID   string
	Name         string
	OriginalName *string // what the model called it
	Qty          int64
	Length       *int64 // mm
	Width        *int64
	Height       *int64
	Volume       *int64 // 0.0001 m³
	Weight       *int64 // g
	Fragile      bool
	Category     string
	Packing      string
	VariantGroup *string
	VariantID    *string
	Confidence   *int64 // basis points
	PhotoIDs     []string
	Flags        []string
	Notes        *string
	Source       Source
	Edited       bool
	Position     int64
	Version      int64
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// resize makes the volume follow from the three sides when all are known.
func (i *Item) resize() {
	if i.Length != nil && i.Width != nil && i.Height != nil {
		i.Volume = new(volumeOfSides(*i.Length, *i.Width, *i.Height))
	}
}

// Photo is one stored photo: always JPEG, upright, without metadata.
type Photo struct {
	ID, RoomID    string
	SHA256        string // of the file as it was uploaded
	Bytes         int64
	Width, Height int64
	StorageKey    string
	CreatedAt     time.Time
}

// AnalysisStatus is where an analysis stands.
type AnalysisStatus string

// The statuses of an analysis.
const (
	Queued    AnalysisStatus = "queued"
	Running   AnalysisStatus = "running"
	Succeeded AnalysisStatus = "succeeded"
	Failed    AnalysisStatus = "failed"
	Cancelled AnalysisStatus = "cancelled"
)

// Final reports whether the status never changes again.
func (s AnalysisStatus) Final() bool { return s != Queued && s != Running }

// Analysis is one look of the model at the photos of a room.
type Analysis struct {
	ID, CompanyID, JobID, RoomID string
	Status                       AnalysisStatus
	Progress                     int64 // percent, never goes back
	Attempts                     int64
	Photos                       int64
	ItemsFound                   int64
	Model                        *string
	PromptVersion                *string
	InputTokens, OutputTokens    int64
	Duration                     time.Duration
	ErrorCode                    *string
	CreatedAt                    time.Time
	StartedAt, FinishedAt        *time.Time
}
