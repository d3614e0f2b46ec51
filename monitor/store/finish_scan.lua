-- End a scan: state of the source, what is missing, events about the source, and the lease given back, at once.
-- KEYS lease source missing events doubts totals; ARGV fence prefix event_ttl_ms, and seven counted lists:
--      field, value of the source | fields of the source to forget | field, value of missing to set
--      | missing to clear | id, type, body of events | id, doubt (empty: settled) | field of the totals, what to add
local lease, source, missing, events, doubts, totals = unpack(KEYS)
if redis.call('GET', lease) ~= ARGV[1] then return redis.error_reply('FENCED the lease of this scan is lost') end
local at = 4
local function list()
  local out = {}
  local size = tonumber(ARGV[at])
  for i = 1, size do out[i] = ARGV[at + i] end
  at = at + size + 1
  return out
end
local set, forget, noted, clear, facts, doubtful, counted =
  list(), list(), list(), list(), list(), list(), list()
for i = 1, #set, 2 do redis.call('HSET', source, set[i], set[i + 1]) end
for i = 1, #forget do redis.call('HDEL', source, forget[i]) end
for i = 1, #noted, 2 do redis.call('HSET', missing, noted[i], noted[i + 1]) end
for i = 1, #clear do redis.call('HDEL', missing, clear[i]) end
for i = 1, #facts, 3 do
  local where = ARGV[2] .. ':event:' .. facts[i]
  if redis.call('EXISTS', where) == 0 then
    local id = redis.call('XADD', events, '*', 'id', facts[i], 'type', facts[i + 1], 'body', facts[i + 2])
    redis.call('SET', where, id, 'PX', ARGV[3])
  end
end
for i = 1, #doubtful, 2 do
  if doubtful[i + 1] == '' then
    redis.call('HDEL', doubts, doubtful[i])
  else
    redis.call('HSET', doubts, doubtful[i], doubtful[i + 1])
  end
end
for i = 1, #counted, 2 do redis.call('HINCRBY', totals, counted[i], counted[i + 1]) end
-- Whoever asked for a scan before this one began has had it; one that the provider put off is still owed.
local reason, begun = unpack(redis.call('HMGET', source, 'reason', 'begun'))
if reason ~= 'throttled' and begun then redis.call('HSET', source, 'looked', begun) end
redis.call('DEL', lease)
return #facts / 3
