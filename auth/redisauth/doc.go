// Package redisauth keeps the sessions and the deny-list of package auth in Redis, alone or in a
// cluster.
//
//	client := redis.NewClient(options)                     // or a cluster client, or a ring
//	store, err := redisauth.New(redisauth.Config{Client: client})
//	denylist, err := redisauth.NewDenylist(redisauth.Config{Client: client})
//	svc, err := auth.New(auth.Config{Store: store, Denylist: denylist, ...})
//
// # Keys
//
// All keys begin with Config.Prefix:
//
//   - <prefix>s:<session id>: a hash with one session, its token hashes and salts
//   - <prefix>u:<subject>: a sorted set of the subject's session ids by absolute end
//   - <prefix>d:<id>: a denied session or token
//   - <prefix>ends: a sorted set of all session ids by their end, for sweeping
//   - <prefix>o:...: the tokens of auth/onetime, two keys each
//   - <prefix>l:<subject>: a lease, only with auth.Config.MaxSessions
//
// Each script touches one key, so every operation works in a cluster, and a refresh is one round
// trip. Redis 7 or newer is needed.
//
// # Guarantees and their limits
//
// The time-to-live of a key is only for cleaning up; verdicts follow the times that the Service
// passes. The eviction policy must be noeviction: the keys here have a time-to-live, so the volatile
// policies evict them too, volatile-ttl the deny-list first of all, and a deny-list entry that Redis
// evicts is a token that works again.
//
// Replication is asynchronous, so a failover can lose the last writes. Tokens of a lost rotation get
// auth.VerdictAhead, never a false theft alarm. A lost log-out leaves the session as it was; where that
// must not be, keep sessions in PostgreSQL (package sqlauth) and only the deny-list here.
//
// With a limit of sessions, the log-ins of one subject take turns through a short lease, because
// they touch several keys.
package redisauth
