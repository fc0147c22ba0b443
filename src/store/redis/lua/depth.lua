-- Gives: now, how many are queued, parked, claimed, running and dead, and the age of the eldest queued one.
if redis.call('EXISTS', queued, parked, claimed, running, dead) == 0 then return { 0, { 0, 0, 0, 0, 0 }, '' } end
local counts = {}
for i, state in ipairs({ queued, parked, claimed, running, dead }) do counts[i] = redis.call('ZCARD', state) end
return { clock(), counts, redis.call('ZRANGE', queued, 0, 0, 'WITHSCORES')[2] or '' }
