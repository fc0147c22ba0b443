-- What a handler may take. ARGV: claim, scope, labels (empty: any), voter, hops of the token that brought us here
-- (empty: none), whether the asker's waiter is to be told, how many classes were looked at before, whether those to which
-- the voter has said "not here" are to be shown, how many of the eldest, whether the cards are wanted, then the jobs not
-- to take.
-- KEYS[17]: the asker's mailbox.
-- Gives: now, the id that the claim holds, records, cards, when the next pause is over, how many of the records may be
-- taken for all that is known here, how many classes are looked at by now (empty: all that matter).
--
-- Classes are looked at by the age of their first job, a bounded number at a time. Of one to which the voter has said
-- "not here" the first job is shown, with the cards: whether all have said so is decided by who asked.
local function nothing(due)
  if ARGV[6] ~= '' then pass_on(ARGV[6] + 1) end
  if ARGV[7] ~= '' then post(KEYS[17], ARGV[7]) end
  return { due and clock() or '', '', texts, {}, due or '', 0, '' }
end

-- What an idle queue costs.
if redis.call('EXISTS', holds, ready, pauses) == 0 then return nothing() end

local held = redis.call('HGET', holds, ARGV[2])
if held then
  add(held)
  return { clock(), held, texts, {}, '', 0, '' }
end

if redis.call('EXISTS', ready, pauses) == 0 then return nothing() end
local pause = redis.call('ZRANGE', pauses, 0, 0, 'WITHSCORES')
if pause[1] then
  local over_now = redis.call('ZRANGEBYSCORE', pauses, '-inf', clock(), 'LIMIT', 0, 64)
  for _, place in ipairs(over_now) do
    redis.call('ZREM', pauses, place)
    put_in(place)
  end
  if #over_now > 0 then pause = redis.call('ZRANGE', pauses, 0, 0, 'WITHSCORES') end
end

local scope, voter, many = ARGV[3], ARGV[5], tonumber(ARGV[10])
local except = {}
for i = 12, #ARGV do except[ARGV[i]] = true end

-- The first of what stands somewhere, as members. What is not queued was left behind by an older program.
local function firsts(where, most)
  local found, from = {}, 0
  local size = (#ARGV < 12 and most == 1) and 1 or 64
  while true do
    local page = under(ready, where, from, size)
    for _, member in ipairs(page) do
      local id = id_of(member)
      if not redis.call('ZSCORE', queued, id) then
        redis.call('ZREM', ready, member)
      else
        from = from + 1
        if not except[id] then found[#found + 1] = member end
        if #found == most then return found end
      end
    end
    if #page < size then return found end
  end
end

local function order_of(member) return string.sub(member, -41) end

local function begins(text, start) return string.sub(text, 1, #start) == start end

local sure, doubtful, seen = {}, {}, ''
if ARGV[4] ~= '' then
  sure = firsts('=' .. ARGV[4], 64)
else
  sure = firsts(scope .. ' -', many)
  local start = scope == '*' and '' or scope .. (string.find(scope, '/', 1, true) and ' ' or '/')
  local from = tonumber(ARGV[8])
  local last, done = from + 512, false
  while not done do
    local page = redis.call('ZRANGE', voted, from, from + 63, 'WITHSCORES')
    done = #page < 128
    for i = 1, #page, 2 do
      local class = page[i]
      if sure[1] and tonumber(page[i + 1]) > tonumber(string.sub(order_of(sure[1]), 1, 20)) then
        done = true
        break
      end
      if from == last or #doubtful == 32 then
        seen, done = from, true
        break
      end
      from = from + 1
      if begins(class, start) then
        if not string.find(class, voter, string.find(class, ' ', 1, true), true) then
          local found = firsts(class, many)
          if not found[1] then list_class(class) end
          if found[1] and not (sure[1] and order_of(sure[1]) < order_of(found[1])) then sure = found end
        elseif ARGV[9] ~= '' then
          doubtful[#doubtful + 1] = firsts(class, 1)[1]
        end
      end
    end
  end
end

-- An older one may come behind the classes that were looked at.
if seen ~= '' then sure = {} end
for _, member in ipairs(sure) do add(id_of(member)) end
for _, member in ipairs(doubtful) do add(id_of(member)) end
local shown = (#doubtful > 0 or ARGV[4] ~= '' or ARGV[11] ~= '') and redis.call('HVALS', cards) or {}
if #texts == 0 and seen == '' then return nothing(pause[2]) end
return { clock(), '', texts, shown, pause[2] or '', #sure, seen }
