-- Stands before every script. KEYS: the queue's keys in the order of keys.rs; behind them, mailboxes.
-- ARGV[1]: the moment in milliseconds, for tests; empty: the server's own clock.
local jobs, holds, runners, queued, parked, claimed, running, over, dead, leases, pauses, ready, voted, refused, cards, bell =
  unpack(KEYS, 1, 16)

local function clock()
  if ARGV[1] ~= '' then return ARGV[1] end
  local time = redis.call('TIME')
  return string.format('%d%03d', time[1], math.floor(time[2] / 1000))
end

-- A list of id, record, id, record, …; a job that is not there has an empty record.
local texts, listed = {}, {}
local function add(id)
  if id and id ~= '' and not listed[id] then
    listed[id] = true
    texts[#texts + 1] = id
    texts[#texts + 1] = redis.call('HGET', jobs, id) or ''
  end
end

-- The id at the end of a member of an ordered index: twenty digits. A pattern that is not anchored tries each place
-- of the member, which took longer than all the rest of a claim.
local function id_of(member) return string.match(string.sub(member, -20), '^0*(%d+)$') end

-- What an index has under a prefix: members are "prefix rest", and "!" comes right after " ".
local function under(index, prefix, from, count)
  return redis.call('ZRANGEBYLEX', index, '[' .. prefix .. ' ', '(' .. prefix .. '!', 'LIMIT', from, count)
end

-- A class is listed under the age of its first job, and not at all when it has none.
local function list_class(class)
  local first = under(ready, class, 0, 1)[1]
  if first then
    redis.call('ZADD', voted, string.sub(first, -41, -22), class)
  else
    redis.call('ZREM', voted, class)
  end
end

-- Where `ready` has a job, by its place "OWNER/REPO LABELS ABSENT AGE ID"; and its class, if somebody has said "not here".
local function spots(place)
  local owner, repo, labels, absent = string.match(place, '^([^/ ]+)/(%S+) (%S+) (%S+) ')
  local order = string.sub(place, -42)
  if absent ~= '-' then
    local class = owner .. '/' .. repo .. ' ' .. absent
    return { '=' .. labels .. order, class .. order }, class
  end
  return { '=' .. labels .. order, '* -' .. order, owner .. ' -' .. order, owner .. '/' .. repo .. ' -' .. order }
end

local function put_in(place)
  local found, class = spots(place)
  local pairs = {}
  for _, spot in ipairs(found) do
    pairs[#pairs + 1] = 0
    pairs[#pairs + 1] = spot
  end
  redis.call('ZADD', ready, unpack(pairs))
  if class then list_class(class) end
end

local function take_out(place)
  local found, class = spots(place)
  redis.call('ZREM', ready, unpack(found))
  if class then list_class(class) end
end

-- One token is enough, and it dies when it has gone round or nothing waits.
local function ring(hops)
  if redis.call('LLEN', bell) == 0 then redis.call('RPUSH', bell, hops) end
end

local function pass_on(hops)
  if redis.call('ZCARD', ready) > 0 and hops <= redis.call('HLEN', cards) then ring(hops) end
end

-- Whom nobody fetches letters for is forgotten after an hour.
local function post(mailbox, letter)
  if redis.call('LLEN', mailbox) < 8 then redis.call('RPUSH', mailbox, letter) end
  redis.call('PEXPIRE', mailbox, 3600000)
end
