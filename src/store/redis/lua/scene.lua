-- What one event can touch. ARGV: job, claim, runner (as the indexes write them; empty: none), which cards.
-- Gives: now, records, the first two that are tied to the runner, cards.
add(ARGV[2])
local held = ARGV[3] ~= '' and redis.call('HGET', holds, ARGV[3]) or ''
add(held)
local tied = ARGV[4] ~= '' and under(runners, ARGV[4], 0, 2) or {}
for _, member in ipairs(tied) do add(id_of(member)) end
local shown = {}
if ARGV[5] == '*' then
  shown = redis.call('HVALS', cards)
elseif ARGV[5] ~= '' then
  shown = { redis.call('HGET', cards, ARGV[5]) or nil }
end
return { clock(), held, texts, tied, shown }
