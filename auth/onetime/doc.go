// Package onetime makes single-use tokens for links in mails: confirm an address, reset a password,
// accept an invitation.
//
//	tokens, err := onetime.New(onetime.Config{Store: sqlauth.NewOneTime(db)})
//	token, err := tokens.Issue(ctx, onetime.Issue{Purpose: "reset_password", Subject: user.ID, TTL: time.Hour})
//	// mail https://app.example.com/reset#token=...
//	used, err := tokens.Consume(ctx, "reset_password", typed)    // ErrInvalid
//	err = setPassword(ctx, used.Subject, newHash)
//	_, err = svc.LogoutAll(ctx, used.Subject)
//
// A token is 32 random bytes. The store keeps the hash of purpose and token, so a dump of it is of no
// use and a token for one purpose is unknown under every other. Issuing a token voids the older one of
// the same purpose and subject. Of any number of parallel uses one succeeds.
//
// Put tokens into the fragment of a link, which browsers send to no server, and answer requests for a
// token the same way whether the address is known or not, mailing from a background job.
package onetime
