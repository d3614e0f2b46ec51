-- Put deliveries back into their lanes, or wake the lane where they wait for a retry.
-- KEYS lanes due state events pending failed; ARGV target prefix keep_ms delay_ms, then per delivery: id expected_end
--      expected_end: replay only what ended just then (ms); `*`: whatever became of it.
-- A delivery goes between those that wait in its lane, where it happened; what is on its way is left to finish.
-- Returns one word each: queued, waiting, disabled, gone, changed or unknown.
local lanes, due, state, events, pending, failed = unpack(KEYS)
local target, prefix, keep = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local soon = now + tonumber(ARGV[4])
local off = redis.call('HEXISTS', state, 'disabled') == 1
local function named(id) return prefix .. ':delivery:' .. id end
local function order(id)
  local ms, number = string.match(redis.call('HGET', named(id), 'stream') or '0-0', '(%d+)-(%d+)')
  return tonumber(ms), tonumber(number)
end
local function insert(queue, id)
  local ms, number = order(id)
  local low, high = 0, redis.call('LLEN', queue)
  while low < high do
    -- The last one first: what is replayed is mostly newer than what waits, and then this is all.
    local middle = high == redis.call('LLEN', queue) and high - 1 or math.floor((low + high) / 2)
    local its_ms, its_number = order(redis.call('LINDEX', queue, middle))
    if its_ms < ms or (its_ms == ms and its_number < number) then low = middle + 1 else high = middle end
  end
  local following = redis.call('LINDEX', queue, low)
  if following then redis.call('LINSERT', queue, 'BEFORE', following, id) else redis.call('RPUSH', queue, id) end
end
-- The deliveries whose automatic retry the lane waits for; none while it is claimed or gathers a group.
local function retried(queue, score)
  local found = {}
  for _, id in ipairs(redis.call('LRANGE', queue, 0, 99)) do
    if tonumber(redis.call('HGET', named(id), 'next') or '-1') == score then found[#found + 1] = id end
  end
  return found
end
-- Have the lane looked at soon, unless somebody sends it now or it gathers a group; whether it is due then.
local function wake(lane, queue)
  local group = prefix .. ':group:' .. target .. ':' .. lane
  local grouped = redis.call('EXISTS', group) == 1
  local pinned = tonumber(grouped and redis.call('HGET', group, 'pinned') or '')
  local score = tonumber(redis.call('ZSCORE', lanes, lane) or '-1')
  local again = score > soon and retried(queue, score) or {}
  for _, id in ipairs(again) do redis.call('HSET', named(id), 'next', soon) end
  -- A group that stands waits for its next tick, an hour perhaps: who replays does not.
  if score < 0 or #again > 0 or (grouped and score > soon and pinned ~= score) then
    redis.call('ZADD', lanes, soon, lane)
    if grouped and pinned == score then redis.call('HSET', group, 'pinned', soon) end
    return true
  end
  if grouped and pinned == score then redis.call('HINCRBY', group, 'dirty', 1) end
  return score <= soon
end
local function replay(id, expected)
  local status, lane, place, ended, made = unpack(redis.call('HMGET', named(id), 'status', 'lane', 'stream', 'ended', 'made'))
  if not status then return 'unknown' end
  if expected ~= '*' and (ended or '') ~= expected then return 'changed' end
  local queue = prefix .. ':lane:' .. target .. ':' .. lane
  if redis.call('LPOS', queue, id) then return not off and wake(lane, queue) and 'queued' or 'waiting' end
  if off then return 'disabled' end
  if #redis.call('XRANGE', events, place, place) == 0 then return 'gone' end
  local now_due = wake(lane, queue)
  insert(queue, id)
  redis.call('HSET', named(id), 'status', 'pending')
  redis.call('HINCRBY', named(id), 'replays', 1)
  redis.call('HDEL', named(id), 'ended', 'next')
  if now_due then redis.call('HSET', named(id), 'next', redis.call('ZSCORE', lanes, lane)) end
  if redis.call('PTTL', named(id)) < keep then redis.call('PEXPIRE', named(id), keep) end
  redis.call('ZADD', pending, made, id)
  redis.call('ZREM', failed, id)
  return 'queued'
end
local out = {}
for i = 5, #ARGV, 2 do out[#out + 1] = replay(ARGV[i], ARGV[i + 1]) end
local first = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
if first[2] and not off then redis.call('ZADD', due, first[2], target) end
return out
