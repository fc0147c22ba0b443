-- What a handler may take. ARGV: claim, what the class begins with, labels (empty: any), voter, hops of the token that
-- brought us here (empty: none), whether the asker's waiter is to be told, then the jobs not to take.
-- KEYS[16]: the asker's mailbox.
-- Gives: now, the id that the claim holds, records, cards, when the next pause is over.
--
-- Classes are looked at by the age of their first job. Of one to which the voter has said "not here" the first job is
-- shown too, with the cards: whether all have said so is decided by who asked.
local held = redis.call('HGET', holds, ARGV[2])
if held then
  add(held)
  return { clock(), held, texts, {}, '' }
end

local pause = redis.call('ZRANGE', pauses, 0, 0, 'WITHSCORES')
if pause[1] then
  local now = clock()
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', pauses, '-inf', now)) do
    redis.call('ZREM', pauses, member)
    redis.call('ZADD', waiting, 0, member)
    list_class(string.sub(member, 1, -43))
    pause = {}
  end
  if not pause[1] then pause = redis.call('ZRANGE', pauses, 0, 0, 'WITHSCORES') end
end

local except = {}
for i = 8, #ARGV do except[ARGV[i]] = true end

local function first_of(class)
  local from, size = 0, #ARGV < 8 and 1 or 16
  while true do
    local page = under(waiting, class, from, size)
    for _, member in ipairs(page) do
      if not except[id_of(member)] then return member end
    end
    if #page < size then return nil end
    from = from + size
  end
end

local function begins(text, start) return string.sub(text, 1, #start) == start end

local best, doubtful = nil, {}
local function look_at(class)
  local labels, absent = string.match(class, '^%S+ (%S+) (%S+)$')
  -- A newer program may write its classes otherwise.
  if not labels or not begins(class, ARGV[3]) or (ARGV[4] ~= '' and labels ~= ARGV[4]) then return end
  local first = first_of(class)
  if not first then return end
  local order = string.sub(first, -41)
  if string.find(absent, ARGV[5], 1, true) then
    doubtful[#doubtful + 1] = { order, first }
  elseif not best or order < best[1] then
    best = { order, first }
  end
end

local from, done = 0, false
while not done do
  local page = redis.call('ZRANGE', classes, from, from + 63, 'WITHSCORES')
  for i = 1, #page, 2 do
    done = best and tonumber(page[i + 1]) > tonumber(string.sub(best[1], 1, 20))
    if done then break end
    look_at(page[i])
  end
  from = from + 64
  done = done or #page < 128
end

if best then add(id_of(best[2])) end
for _, one in ipairs(doubtful) do
  if not best or one[1] < best[1] then add(id_of(one[2])) end
end
if #texts == 0 then
  if ARGV[6] ~= '' then pass_on(ARGV[6] + 1) end
  if ARGV[7] ~= '' then post(KEYS[16], ARGV[7]) end
  return { pause[2] and clock() or '', '', texts, {}, pause[2] or '' }
end
return { clock(), '', texts, #doubtful > 0 and redis.call('HVALS', cards) or {}, pause[2] or '' }
