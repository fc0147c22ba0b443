-- All that a handler holds. ARGV[2]: what its claims begin with. Gives: now, records.
local all = redis.call('HGETALL', holds)
for i = 1, #all, 2 do
  if string.sub(all[i], 1, #ARGV[2]) == ARGV[2] then add(all[i + 1]) end
end
return { clock(), texts }
