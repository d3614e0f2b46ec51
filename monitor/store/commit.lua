-- Changed items of one source: digest, document, counts, deadlines, history and events, all or nothing per item.
-- KEYS lease items docs gone counts missing deadlines events open
-- ARGV fence prefix now_ms event_ttl_ms history_ttl_ms history_max item_count, then per item:
--      id expected value document expected_by_narrow_walks(1|0), and six counted lists:
--      deadlines to disarm | score, member to arm | field, delta of counts | missing to clear
--      | field, value of missing to note (kept when noted before) | id, type, body, history key, history entry of events
-- Returns the ids whose stored digest was not the expected one; nothing of those was written.
local lease, items, docs, gone, counts, missing, deadlines, events, open = unpack(KEYS)
local fence, prefix, now = ARGV[1], ARGV[2], ARGV[3]
local event_ttl, history_ttl, history_max = ARGV[4], ARGV[5], tonumber(ARGV[6])
if fence ~= '' and redis.call('GET', lease) ~= fence then
  return redis.error_reply('FENCED the lease of this scan is lost')
end
local at = 8
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end
local function list()
  local out = {}
  for i = 1, tonumber(take()) do out[i] = take() end
  return out
end
local function write_events(facts)
  for i = 1, #facts, 5 do
    local where = prefix .. ':event:' .. facts[i]
    if redis.call('EXISTS', where) == 0 then
      local id = redis.call('XADD', events, '*', 'id', facts[i], 'type', facts[i + 1], 'body', facts[i + 2])
      redis.call('SET', where, id, 'PX', event_ttl)
      redis.call('LPUSH', facts[i + 3], facts[i + 4])
      redis.call('LTRIM', facts[i + 3], 0, history_max - 1)
      redis.call('PEXPIRE', facts[i + 3], history_ttl)
    end
  end
end
local conflicts = {}
for _ = 1, tonumber(ARGV[7]) do
  local id, expected, value, document, walked = take(), take(), take(), take(), take()
  local disarm, arm, deltas, clear, note, facts = list(), list(), list(), list(), list(), list()
  if (redis.call('HGET', items, id) or '') ~= expected then
    conflicts[#conflicts + 1] = id
  else
    if value == '' then
      redis.call('HDEL', items, id)
      redis.call('ZADD', gone, now, id)
    else
      redis.call('HSET', items, id, value)
      if expected == '' then redis.call('ZREM', gone, id) end
    end
    redis.call('HSET', docs, id, document)
    redis.call(walked == '1' and 'SADD' or 'SREM', open, id)
    for i = 1, #disarm do redis.call('ZREM', deadlines, disarm[i]) end
    for i = 1, #arm, 2 do redis.call('ZADD', deadlines, arm[i], arm[i + 1]) end
    for i = 1, #deltas, 2 do redis.call('HINCRBY', counts, deltas[i], deltas[i + 1]) end
    for i = 1, #clear do redis.call('HDEL', missing, clear[i]) end
    for i = 1, #note, 2 do redis.call('HSETNX', missing, note[i], note[i + 1]) end
    write_events(facts)
  end
end
return conflicts
