-- End a scan: state of the source, what is missing, events about the source, and the lease given back, at once.
-- KEYS lease source missing events doubts totals recent
-- ARGV fence prefix event_ttl_ms name scan (JSON, may be empty) scans_kept complete(1|0), and seven counted lists:
--      field, value of the source | fields of the source to forget | field, value of missing to set
--      | missing to clear | id, type, body of events | id, doubt (empty: settled) | field of the totals, what to add
local lease, source, missing, events, doubts, totals = unpack(KEYS)
if redis.call('GET', lease) ~= ARGV[1] then return redis.error_reply('FENCED the lease of this scan is lost') end
local at = 8
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
if ARGV[5] ~= '' then
  redis.call('LPUSH', KEYS[7], ARGV[5])
  redis.call('LTRIM', KEYS[7], 0, ARGV[6] - 1)
end
if ARGV[7] == '1' then
  -- The last complete scan of each minute, for two days: monitor/store/minutes.py.
  local time = redis.call('TIME')
  local hour, now = math.floor(time[1] / 3600), time[1] * 1000 + math.floor(time[2] / 1000)
  local minutes = ARGV[2] .. ':minutes:' .. ARGV[4] .. ':' .. hour
  redis.call('HSET', minutes, math.floor(time[1] / 60) % 60 .. ':fresh', string.format('%d', now))
  redis.call('PEXPIREAT', minutes, (hour + 49) * 3600000)
end
-- Whoever asked for a scan before this one began has had it; one that the provider put off is still owed.
local reason, begun = unpack(redis.call('HMGET', source, 'reason', 'begun'))
if reason ~= 'throttled' and begun then redis.call('HSET', source, 'looked', begun) end
redis.call('DEL', lease)
return #facts / 3
