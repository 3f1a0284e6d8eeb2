package rest

import "time"

// Deletion is what lists of deleted entities say besides the entity.
type Deletion struct {
	DeletedAt time.Time `json:"deleted_at"`
	DeletedBy *string   `json:"deleted_by" doc:"The account, or what else has deleted it."`
	PurgeAt   time.Time `json:"purge_at" doc:"From then on it is removed for good."`
}

// NewDeletion returns the members of one deletion.
func NewDeletion(at time.Time, by *string, purgeAt time.Time) Deletion {
	return Deletion{DeletedAt: at, DeletedBy: by, PurgeAt: purgeAt}
}
