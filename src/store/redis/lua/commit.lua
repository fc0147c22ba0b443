-- Writes a plan, if all that it was made from is still so. ARGV[2]: the plan, as plan.rs writes it.
-- Removals come first, so that a server whose memory is full lets jobs go on and end, but takes none.
local plan = cjson.decode(ARGV[2])
local index = { runners = runners, queued = queued, parked = parked, claimed = claimed, running = running, over = over,
  dead = dead, leases = leases, pauses = pauses, refused = refused }

for _, job in ipairs(plan.jobs) do
  if (redis.call('HGET', jobs, job[1]) or '') ~= job[2] then return 0 end
end
for _, hold in ipairs(plan.held) do
  if (redis.call('HGET', holds, hold[1]) or '') ~= hold[2] then return 0 end
end
for _, tie in ipairs(plan.tied) do
  local found = under(runners, tie[1], 0, 2)
  if #found ~= #tie[2] then return 0 end
  for i = 1, #found do
    if found[i] ~= tie[2][i] then return 0 end
  end
end

for _, gone in ipairs(plan.remove) do
  if gone[1] == 'ready' then take_out(gone[2]) else redis.call('ZREM', index[gone[1]], gone[2]) end
end
for _, claim in ipairs(plan.let_go) do redis.call('HDEL', holds, claim) end
for _, job in ipairs(plan.forget) do redis.call('HDEL', jobs, job) end
for _, owner in ipairs(plan.gone) do redis.call('HDEL', cards, owner) end
for _, job in ipairs(plan.write) do redis.call('HSET', jobs, job[1], job[2]) end
for _, card in ipairs(plan.show) do redis.call('HSET', cards, card[1], card[2]) end
for _, new in ipairs(plan.add) do
  if new[1] == 'ready' then put_in(new[3]) else redis.call('ZADD', index[new[1]], new[2], new[3]) end
end
for _, hold in ipairs(plan.hold) do redis.call('HSET', holds, hold[1], hold[2]) end

for i = 17, #KEYS do post(KEYS[i], 'news') end
if plan.ring then ring(0) end
if plan.token then pass_on(plan.token + 1) end
return 1
