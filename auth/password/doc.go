// Package password hashes and checks passwords with argon2id (RFC 9106), reads bcrypt hashes of
// older systems, bounds the memory that parallel log-ins take, and signs users in without telling
// whether an account exists.
//
//	hasher, err := password.New(password.Config{})              // m=19 MiB, t=2, p=1
//	hash, err := hasher.Hash(ctx, "correct horse battery")      // store this text
//	rehash, err := hasher.Verify(ctx, hash, typed)              // ErrMismatch when wrong
//
// A log-in form needs more than Verify, namely the same work and the same answer for unknown
// accounts. An [Authenticator] owns that flow:
//
//	login, err := password.NewAuthenticator(password.AuthenticatorConfig{
//		Hasher: hasher, Lookup: users.Credentials, Rehash: users.SetHash,
//	})
//	account, err := login.Authenticate(ctx, name, typed)        // ErrCredentials
//
// # Guarantees
//
// Passwords are taken byte for byte: nothing is trimmed, folded or cut, and what is too long is
// refused. Parameters in stored hashes are checked against bounds before anything is computed,
// so a hostile row cannot exhaust the server. At most Config.MaxMemory is in use at once; callers
// wait in order, a caller whose context ends never hashes, and a full queue is [ErrBusy].
//
// # What it does not do
//
// It stores nothing, mails nothing and counts no failed attempts; AuthenticatorConfig.Allow is
// where a rate limiter goes.
package password
