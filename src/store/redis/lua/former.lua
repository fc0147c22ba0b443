-- Takes over what programs before `ready` have written. KEYS[17], KEYS[18]: the places of jobs that wait, their classes.
-- Gives how many were moved; a few hundred at a time.
local found = redis.call('ZRANGE', KEYS[17], 0, 255)
for _, place in ipairs(found) do
  redis.call('ZREM', KEYS[17], place)
  if redis.call('ZSCORE', queued, id_of(place)) then put_in(place) end
end
if #found > 0 then
  redis.call('DEL', KEYS[18])
  ring(0)
end
return #found
