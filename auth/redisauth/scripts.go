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
	// -> verdict and the fields after it. The verdict numbers are those of auth.Verdict.
	rotate: redis.NewScript(`
local h = redis.call('HMGET', KEYS[1], 'gen', 'hash', 'prev', 'used', 'idle', 'abs', 'revoked', 'rep')
if not h[1] then return {0} end
local function answer(verdict)
  local f = redis.call('HMGET', KEYS[1], 'subject', 'tenant', 'client', 'methods', 'attrs', 'auth',
    'created', 'used', 'idle', 'abs', 'revoked', 'reason', 'gen', 'salt')
  local out = {verdict}
  for i = 1, 14 do out[i + 1] = f[i] end
  return out
end
if h[7] then return answer(1) end
local g, G, now = tonumber(ARGV[1]), tonumber(h[1]), tonumber(ARGV[5])
if now >= tonumber(h[5]) or now >= tonumber(h[6]) then return answer(2) end
if g == G and h[2] == ARGV[2] then
  local idle = ARGV[6]
  if tonumber(idle) > tonumber(h[6]) then idle = h[6] end
  redis.call('HSET', KEYS[1], 'gen', G + 1, 'prev', h[2], 'hash', ARGV[3], 'salt', ARGV[4], 'used', ARGV[5],
    'idle', idle, 'rep', 0)
  return answer(3)
end
if g > G then return answer(6) end
local window = tonumber(ARGV[7])
if g + 1 == G and h[3] == ARGV[2] and window > 0 and now - tonumber(h[4]) <= window then
  if tonumber(h[8]) < tonumber(ARGV[8]) then
    redis.call('HINCRBY', KEYS[1], 'rep', 1)
    return answer(4)
  end
  return answer(5)
end
redis.call('HSET', KEYS[1], 'revoked', ARGV[5], 'reason', 'reuse')
return answer(7)`),

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
