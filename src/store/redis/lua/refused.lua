-- The jobs of which a voter has said "not here", the eldest words first. ARGV: voter, how many. Gives: now, records.
-- What is not queued was left behind by an older program.
if redis.call('EXISTS', refused) == 0 then return { 0, texts } end
for _, member in ipairs(under(refused, ARGV[2], 0, ARGV[3])) do
  if redis.call('ZSCORE', queued, id_of(member)) then add(id_of(member)) else redis.call('ZREM', refused, member) end
end
return { clock(), texts }
