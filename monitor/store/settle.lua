-- Record attempts and free or reschedule their lanes. KEYS lanes due hold state events
-- ARGV target prefix event_ttl_ms hold_ms disable(1|0) lane_count, then per lane:
--      lane fence verdict(delivered|retry|failed) delay_ms, and two counted lists:
--      delivery_id, attempt JSON | id, type, body of events
-- A lane whose fence is no longer ours keeps its place (somebody else sends it now), but the attempt is recorded.
-- Returns {failures in a row, announced(1|0), stale lanes}.
local lanes, due, hold, state, events = unpack(KEYS)
local target, prefix, event_ttl = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at, stale = 7, 0
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
local failures, before = unpack(redis.call('HMGET', state, 'failures', 'failing_since'))
failures = tonumber(failures or '0')
local since, success, delivered, failed, retried = before, false, 0, 0, 0
local ended, given_up = {}, {}
for _ = 1, tonumber(ARGV[6]) do
  local lane, fence, verdict, due_ms = take(), take(), take(), now + tonumber(take())
  local attempts, facts = list(), list()
  local queue = prefix .. ':lane:' .. target .. ':' .. lane
  local ours = tonumber(redis.call('ZSCORE', lanes, lane) or '-1') == tonumber(fence)
  for i = 1, #attempts, 2 do
    local delivery = prefix .. ':delivery:' .. attempts[i]
    local made, n, told, due_again = unpack(redis.call('HMGET', delivery, 'made', 'n', 'attempts', 'next'))
    if made then
      local known = {'n', n + 1, 'attempts', told and (told .. ',' .. attempts[i + 1]) or attempts[i + 1]}
      if verdict ~= 'retry' then
        redis.call('HSET', delivery, 'status', verdict, 'ended', now, unpack(known))
        if due_again then redis.call('HDEL', delivery, 'next') end
        ended[#ended + 1] = attempts[i]
        if verdict == 'failed' then
          given_up[#given_up + 1] = made
          given_up[#given_up + 1] = attempts[i]
        end
      elseif ours then
        redis.call('HSET', delivery, 'next', due_ms, unpack(known))
      else
        redis.call('HSET', delivery, unpack(known))
      end
    end
    if ours and verdict ~= 'retry' then redis.call('LREM', queue, 1, attempts[i]) end
  end
  if not ours then
    stale = stale + 1
  elseif verdict == 'retry' then
    redis.call('ZADD', lanes, due_ms, lane)
  elseif redis.call('EXISTS', queue) == 1 then
    redis.call('ZADD', lanes, due_ms, lane)
  else
    redis.call('ZREM', lanes, lane)
  end
  if #attempts == 0 then
    -- handed back untried: nothing is known, nothing is counted
  elseif verdict == 'delivered' then
    failures, success, delivered = 0, true, delivered + #attempts / 2
  else
    failures = failures + 1
    if failures == 1 then since = now end
    if verdict == 'failed' then failed = failed + 1 else retried = retried + 1 end
  end
  for i = 1, #facts, 3 do
    local where = prefix .. ':event:' .. facts[i]
    if redis.call('EXISTS', where) == 0 then
      local id = redis.call('XADD', events, '*', 'id', facts[i], 'type', facts[i + 1], 'body', facts[i + 2])
      redis.call('SET', where, id, 'PX', event_ttl)
    end
  end
end
-- In parts: Lua hands over some thousand words at once at the most.
for i = 1, #ended, 1000 do
  local last = math.min(i + 999, #ended)
  redis.call('ZREM', prefix .. ':pending:' .. target, unpack(ended, i, last))
  redis.call('ZREM', prefix .. ':failed:' .. target, unpack(ended, i, last))
end
for i = 1, #given_up, 1000 do
  redis.call('ZADD', prefix .. ':failed:' .. target, unpack(given_up, i, math.min(i + 999, #given_up)))
end
if success or failed + retried > 0 then redis.call('HSET', state, 'failures', failures) end
if since ~= before then redis.call('HSET', state, 'failing_since', since) end
if success then
  redis.call('HSET', state, 'success_at', now)
  redis.call('HINCRBY', state, 'delivered', delivered)
end
if failed > 0 then redis.call('HINCRBY', state, 'failed', failed) end
if retried > 0 then redis.call('HINCRBY', state, 'retried', retried) end
-- What one receiver's answer asked for is not undercut by what another asks for meanwhile.
local quiet = tonumber(ARGV[4])
if quiet > 0 and now + quiet > tonumber(redis.call('GET', hold) or '0') then
  redis.call('SET', hold, now + quiet, 'PX', quiet)
end
if ARGV[5] == '1' then redis.call('HSETNX', state, 'disabled', now) end
local first = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
if first[2] then redis.call('ZADD', due, first[2], target) else redis.call('ZREM', due, target) end
return {failures, redis.call('HEXISTS', state, 'announced'), stale}
