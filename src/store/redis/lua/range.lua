-- A page of a state's jobs by their score. ARGV: state, a bracket and how many milliseconds before now the scores end
-- (empty: no end), from, count. Gives: now, records.
local index = { queued = queued, parked = parked, claimed = claimed, running = running, over = over, dead = dead,
  leases = leases }
local now, last = clock(), '+inf'
if ARGV[3] ~= '' then
  local bracket, before = string.sub(ARGV[3], 1, 1), string.sub(ARGV[3], 2)
  last = (bracket == '(' and '(' or '') .. string.format('%.0f', now - before)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', index[ARGV[2]], '-inf', last, 'LIMIT', ARGV[4], ARGV[5])) do add(id) end
return { now, texts }
