// Package auth signs users in and keeps them signed in: short access tokens (JWT, RFC 9068
// profile), rotating refresh tokens with theft detection, sessions that can be listed and ended.
//
//	keys, err := auth.NewKeySet(auth.KeySetConfig{Active: key})       // key from NewEd25519Key
//	refreshKeys, err := auth.NewRefreshKeys(secret)                   // 32 random bytes
//	svc, err := auth.New(auth.Config{
//		Issuer: "https://api.example.com", Audience: []string{"api"},
//		Keys: keys, RefreshKeys: refreshKeys,
//		Store: auth.NewMemoryStore(),                              // or sqlauth, redisauth
//	})
//
//	tokens, err := svc.Login(ctx, auth.Login{Subject: user.ID})       // after checking the password
//	tokens, err = svc.Refresh(ctx, tokens.Refresh)                    // every few minutes
//	err = svc.Logout(ctx, tokens.Refresh)
//
//	mux.Handle("GET /me", svc.Verifier().Require(http.HandlerFunc(me))) // PrincipalFrom(ctx) in me
//
// # Access tokens
//
// A [Verifier] needs keys and no store, so other services can use it alone. It checks the
// signature before it parses the claims, takes the algorithm from the key and never from the
// token, and refuses tokens with a header member it does not know, a repeated claim, a foreign
// issuer or audience, or another typ than at+jwt. Callers learn one error, [ErrInvalidToken]; the
// hook OnReject learns the [Reason].
//
// # Refresh tokens
//
// A session is one row. Its refresh token is valid for one use; the use makes the successor. An
// old token that comes back later means that two parties hold the session, so the session ends
// ([ErrReused]), in the same atomic step of the store. Honest clients send the same token twice
// as well, when two tabs refresh at once or an answer is lost. The default policy, [RaceReplay],
// answers them for ten seconds with the same successor, so that they agree on one token and
// theft is still found. [RaceReject] and [RaceStrict] are the sterner choices.
//
// A dump of the store contains hashes and salts only and does not help to make tokens. Forged
// tokens are refused without asking the store, so nobody can end a session without having held
// one of its tokens.
//
// # Ending sessions
//
// [Service.Logout], [Service.RevokeSession] and [Service.LogoutAll] make refresh tokens useless
// at once. Access tokens live on for at most AccessTTL, unless Config.Denylist is set. The
// deny-list holds session ids, never token text: one token can be written in several ways, so a
// list of texts can be dodged.
//
// # What it does not do
//
// It has no user table, no log-in form and no OAuth 2.0 or OpenID Connect endpoints. Passwords are
// the business of auth/password, permissions that of package rbac, rate limits that of package
// ratelimit.
package auth
