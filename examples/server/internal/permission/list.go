package permission

import "github.com/groundwork-go/groundwork/rbac"

// list is the registry with the scope of each of its permissions.
type list struct {
	registry *rbac.Registry
	scopes   map[rbac.Permission]Scope
}

// all is complete when this package is initialised and immutable from then on.
var all = list{rbac.NewRegistry(), map[rbac.Permission]Scope{}}

func (l list) define(scope Scope, name, description string) rbac.Permission {
	p := l.registry.MustDefine(name, description)
	l.scopes[p] = scope
	return p
}

func (l list) defineScoped(scope Scope, name, description string) rbac.Scoped {
	p := l.registry.MustDefineScoped(name, description)
	l.scopes[p.Own], l.scopes[p.Any] = scope, scope
	return p
}

// Global permissions. Own is about rows of one's own: the account, areas and landmarks one has
// created, one's attempts and unlocks.
var (
	// Areas.
	AreaCreate = all.define(Global, "area:create", "Add areas.")
	AreaRead   = all.define(Global, "area:read", "See areas.")
	AreaVerify = all.define(Global, "area:verify", "Confirm areas or take that back.")
	AreaUpdate = all.defineScoped(Global, "area:update", "Change areas.")
	AreaDelete = all.defineScoped(Global, "area:delete", "Delete areas.")

	// Landmarks.
	LandmarkCreate = all.define(Global, "landmark:create", "Add landmarks.")
	LandmarkRead   = all.define(Global, "landmark:read", "See landmarks.")
	LandmarkVerify = all.define(Global, "landmark:verify", "Confirm landmarks or take that back.")
	LandmarkUpdate = all.defineScoped(Global, "landmark:update", "Change landmarks.")
	LandmarkDelete = all.defineScoped(Global, "landmark:delete", "Delete landmarks.")

	// Unlocks.
	UnlockCreate  = all.define(Global, "unlock:create", "Unlock landmarks with a photo.")
	UnlockRead    = all.defineScoped(Global, "unlock:read", "See unlocked landmarks.")
	UnlockUpdate  = all.defineScoped(Global, "unlock:update", "Change what is kept with an unlock.")
	AttemptRead   = all.defineScoped(Global, "attempt:read", "See attempts to unlock.")
	AttemptCancel = all.defineScoped(Global, "attempt:cancel", "Cancel attempts to unlock.")
	AttemptReview = all.define(Global, "attempt:review", "Decide attempts that are in doubt.")
	FeedRead      = all.define(Global, "feed:read", "See what others have unlocked.")

	// Accounts.
	UserRead       = all.define(Global, "user:read", "See other accounts.")
	UserUpdate     = all.defineScoped(Global, "user:update", "Change accounts.")
	UserDelete     = all.defineScoped(Global, "user:delete", "Delete accounts.")
	UserAssignRole = all.define(Global, "user:assign_role", "Give accounts another role.")
	SessionRevoke  = all.defineScoped(Global, "session:revoke", "End sessions.")
	RoleManage     = all.define(Global, "role:manage", "Define roles.")
	CompanyCreate  = all.define(Global, "company:create", "Found a company.")

	// Running the server.
	AuditRead      = all.define(Global, "audit:read", "Read the audit trail.")
	ContentRestore = all.define(Global, "content:restore", "See and restore what was deleted.")
	ContentPurge   = all.define(Global, "content:purge", "Remove for good what was deleted.")
	QueueManage    = all.define(Global, "queue:manage", "See and steer background jobs.")
	FileManage     = all.define(Global, "file:manage", "See and remove stored files.")

	// The platform.
	PlatformRead   = all.define(Global, "platform:read", "See companies and figures of the platform.")
	PlatformManage = all.define(Global, "platform:manage", "Steer companies, listings and learning.")
	PlatformExport = all.define(Global, "platform:export", "Export training data.")
)

// Permissions in a company. NoteDelete.Own is about notes one has written.
var (
	// The company.
	CompanyRead   = all.define(Company, "company:read", "See the company, its prices and terms.")
	CompanyUpdate = all.define(Company, "company:update", "Change the company.")
	CompanyDelete = all.define(Company, "company:delete", "Close the company.")
	CompanyAudit  = all.define(Company, "company:audit", "Read the company's audit trail.")
	MemberManage  = all.define(Company, "member:manage", "Manage the people of the company.")
	BillingManage = all.define(Company, "billing:manage", "Buy credits, manage subscription and payouts.")
	PricingUpdate = all.define(Company, "pricing:update", "Change prices.")
	TermsManage   = all.define(Company, "terms:manage", "Manage terms.")
	AnalyticsRead = all.define(Company, "analytics:read", "See the company's figures.")

	// Moves.
	SurveyCreate = all.define(Company, "survey:create", "Open surveys and invite customers.")
	JobRead      = all.define(Company, "job:read", "See moves.")
	JobDecide    = all.define(Company, "job:decide", "Edit, approve, reject and book moves.")
	JobNote      = all.define(Company, "job:note", "Read and write notes on moves.")
	NoteDelete   = all.defineScoped(Company, "note:delete", "Delete notes.")
	ItemFeedback = all.define(Company, "item:feedback", "Correct what was recognised.")
	JobDelete    = all.define(Company, "job:delete", "Delete moves.")
	JobRestore   = all.define(Company, "job:restore", "See and restore deleted moves.")
	JobExport    = all.define(Company, "job:export", "Export a customer's data.")

	// Marketplace.
	MarketRead = all.define(Company, "market:read", "See listings.")
	MarketBid  = all.define(Company, "market:bid", "Bid on listings.")
)
