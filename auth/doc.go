// Package auth signs users in and keeps them signed in: short access tokens (JWT, RFC 9068
// profile), rotating refresh tokens with theft detection, sessions that can be listed and ended.
//
//	key, err := auth.NewEd25519Key("2026-03", private)                // or NewHMACKey, see Keys
//	keys, err := auth.NewKeySet(auth.KeySetConfig{Active: key})
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
// # Keys
//
// Two secrets live outside the database. The signing key makes access tokens: an Ed25519, RSA or
// ECDSA key when other services verify them, who then need its public half only
// ([KeySet.JWKSHandler], [RemoteKeys]); an HMAC secret when one service does both. The master secret of
// [RefreshKeys] authenticates refresh tokens and never leaves this service. Secrets are 32 random bytes
// or more, as openssl rand -base64 32 prints them; all replicas have the same, and after a restart they
// are still the same, or everybody is signed out. Both can be changed without signing anybody out: see
// [KeySet] and [NewRefreshKeys].
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
// # Over HTTP
//
// [Verifier.Require], [Verifier.Optional] and [Verifier.RequireFresh] guard handlers. [Handlers] are the
// endpoints around a session; the application's log-in ends with [Handlers.Begin]:
//
//	cookie, err := auth.NewCookie(auth.CookieConfig{})                // for browsers; optional
//	h, err := auth.NewHandlers(auth.HandlersConfig{Service: svc, Cookie: cookie})
//	mux.Handle("/auth/refresh", h.Refresh())
//	mux.Handle("/auth/logout", h.Logout())
//	mux.Handle("/auth/logout-all", h.LogoutAll())
//	mux.Handle("GET /auth/sessions", h.Sessions())
//	mux.Handle("DELETE /auth/sessions/{id}", h.RevokeSession())
//	mux.Handle("GET /.well-known/jwks.json", keys.JWKSHandler())
//
// What a client does with a refused request follows from the code in the answer (see [StatusCode]):
//
//   - 401 unauthenticated: refresh, then repeat the request once.
//   - 401 invalid_refresh: sign in again. 401 refresh_reused: the same, and warn the user.
//   - 409 refresh_superseded: another tab has newer tokens; use those, and delete nothing.
//   - 503 unavailable: try again later with the same token, and delete nothing.
//
// # Stores
//
// [MemoryStore] forgets at a restart. Package sqlauth keeps sessions in PostgreSQL or SQLite, package
// redisauth in Redis; each also has a deny-list and the tokens of auth/onetime. A store of your own is a
// [Store] that passes authtest.TestStore.
//
// Nothing runs in the background. Call [Service.Sweep] from a periodic job, or rows of ended sessions
// stay. Give [Config.OnEvent] a function that writes [EventReuse] where somebody reads it, and counts
// [EventAhead] and [EventError].
//
// # What it does not do
//
// It has no user table, no log-in form and no OAuth 2.0 or OpenID Connect endpoints. Passwords are
// the business of auth/password, permissions that of package rbac. It does not limit how often somebody
// may try.
package auth
