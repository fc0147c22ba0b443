-- What people look at. ARGV[2]: a job (empty: none).
-- Gives: now, how many are queued, parked, claimed, running and dead, the age of the eldest queued one, cards, and the
-- records of that job and of all that a claim holds.
local counts = {}
for i, state in ipairs({ queued, parked, claimed, running, dead }) do counts[i] = redis.call('ZCARD', state) end
add(ARGV[2])
for _, id in ipairs(redis.call('HVALS', holds)) do add(id) end
local eldest = redis.call('ZRANGE', queued, 0, 0, 'WITHSCORES')[2] or ''
return { clock(), counts, eldest, redis.call('HVALS', cards), texts }
