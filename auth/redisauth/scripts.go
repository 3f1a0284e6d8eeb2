package redisauth

import "github.com/redis/go-redis/v9"

// scripts are the Lua programs. Times are microseconds: Lua's numbers are doubles and hold them
// exactly until the year 2255, and no arithmetic result is stored, only compared.
var scripts = struct{ create, rotate, revoke, release, remove *redis.Script }{
	// KEYS[1] session; ARGV: life in ms, field, value, ... -> 1, or 0 when the id exists.
	create: redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`),

	// KEYS[1] session; ARGV: gen, hash, new hash, new salt, now, idle until, window, max replays
	// -> verdict and the fields after it, those that never change only when the caller knows the
	// others. The verdict numbers are those of auth.Verdict, the fields those of the variable fields.
	rotate: redis.NewScript(`
local f = redis.call('HMGET', KEYS[1], 'subject', 'tenant', 'client', 'methods', 'attrs', 'auth', 'created',
  'abs', 'used', 'idle', 'revoked', 'reason', 'gen', 'salt', 'hash', 'prev', 'rep')
if not f[13] then return {0} end
if f[11] then return {1, unpack(f, 1, 14)} end
local g, G, now = tonumber(ARGV[1]), tonumber(f[13]), tonumber(ARGV[5])
if now >= tonumber(f[10]) or now >= tonumber(f[8]) then return {2, unpack(f, 1, 14)} end
if g == G and f[15] == ARGV[2] then
  local idle = ARGV[6]
  if tonumber(idle) > tonumber(f[8]) then idle = f[8] end
  redis.call('HSET', KEYS[1], 'gen', G + 1, 'prev', f[15], 'hash', ARGV[3], 'salt', ARGV[4], 'used', ARGV[5],
    'idle', idle, 'rep', 0)
  return {3, unpack(f, 1, 8)}
end
if g > G then return {6, unpack(f, 1, 14)} end
local window = tonumber(ARGV[7])
if g + 1 == G and f[16] == ARGV[2] and window > 0 and now - tonumber(f[9]) <= window then
  if tonumber(f[17]) < tonumber(ARGV[8]) then
    redis.call('HINCRBY', KEYS[1], 'rep', 1)
    return {4, unpack(f, 1, 14)}
  end
  return {5, unpack(f, 1, 14)}
end
f[11], f[12] = ARGV[5], 'reuse'
redis.call('HSET', KEYS[1], 'revoked', f[11], 'reason', f[12])
return {7, unpack(f, 1, 14)}`),

	// KEYS[1] session; ARGV: now, reason -> 1 when this call ended it. It never makes a key.
	revoke: redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('HSETNX', KEYS[1], 'revoked', ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'reason', ARGV[2])
return 1`),

	// KEYS[1] any key; ARGV: value -> 1 when the key had that value and was removed.
	release: redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`),

	// KEYS[1] session; ARGV: before -> {1, subject} when it had ended by then and was removed.
	remove: redis.NewScript(`
local h = redis.call('HMGET', KEYS[1], 'abs', 'revoked', 'subject')
if not h[1] then return {0} end
local before = tonumber(ARGV[1])
if tonumber(h[1]) > before and (not h[2] or tonumber(h[2]) > before) then return {0} end
redis.call('DEL', KEYS[1])
return {1, h[3]}`),
}
