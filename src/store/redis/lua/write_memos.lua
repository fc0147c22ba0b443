-- KEYS[17]: the topic. ARGV[2]: for how many milliseconds it is kept from now on; then for each memo its name, what it
-- must say and what it is to say; empty: nothing. Gives 1, or 0 when one of them does not fit and none is changed.
for i = 3, #ARGV, 3 do
  local is = redis.call('HGET', KEYS[17], ARGV[i]) or ''
  if is ~= ARGV[i + 1] and is ~= ARGV[i + 2] then return 0 end
end
for i = 3, #ARGV, 3 do
  if ARGV[i + 2] == '' then
    redis.call('HDEL', KEYS[17], ARGV[i])
  else
    redis.call('HSET', KEYS[17], ARGV[i], ARGV[i + 2])
  end
end
redis.call('PEXPIRE', KEYS[17], ARGV[2])
return 1
