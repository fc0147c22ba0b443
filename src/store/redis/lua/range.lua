-- A page of a state's jobs by their score. ARGV: state, a bracket and how many milliseconds before now the scores end
-- (empty: no end), from, count. Gives: now, records, and of leases how long until the next one ends (empty: there is none).
local index = { queued = queued, parked = parked, claimed = claimed, running = running, over = over, dead = dead,
  leases = leases }
if redis.call('EXISTS', index[ARGV[2]]) == 0 then return { 0, texts, '' } end
local now, last = clock(), '+inf'
if ARGV[3] ~= '' then
  local bracket, before = string.sub(ARGV[3], 1, 1), string.sub(ARGV[3], 2)
  last = (bracket == '(' and '(' or '') .. string.format('%.0f', now - before)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', index[ARGV[2]], '-inf', last, 'LIMIT', ARGV[4], ARGV[5])) do add(id) end
local next = ARGV[2] == 'leases' and redis.call('ZRANGEBYSCORE', leases, now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
return { now, texts, next and string.format('%.0f', next - now) or '' }
