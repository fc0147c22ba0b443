-- Gives: now, how many are queued, parked, claimed, running and dead, and the age of the eldest queued one.
local counts = {}
for i, state in ipairs({ queued, parked, claimed, running, dead }) do counts[i] = redis.call('ZCARD', state) end
return { clock(), counts, redis.call('ZRANGE', queued, 0, 0, 'WITHSCORES')[2] or '' }
