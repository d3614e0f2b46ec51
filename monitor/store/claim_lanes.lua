-- Claim due lanes of one target under a lease: a lane's score becomes the end of the lease, and is its fence.
-- KEYS lanes due hold target events; ARGV target prefix lease_ms limit take catch_up(most deliveries of a lane, 0: never)
--      grouped(1|0) fold_above(late groups, 0: never) fold_lease_ms
-- Where more groups than that are late, nothing is given but the lane `~backlog`: who has it tells them in one message
-- (claim_backlog.lua), and meanwhile nobody else is given any. Late is what was due a minute ago, or before a pause or an
-- outage ended.
-- A group's lane is given although nothing waits in it: a timer of its own has run out.
-- While the circuit is open, one lane at a time is given, when a probe is due. With catch_up a lane whose first delivery
-- waited through an outage gives more than it takes else.
-- Returns {{now_ms, failures, failing since, announced, deliveries that wait},
--          {lane, fence, more(1|0), {delivery_id, attempts made, body, made_ms, severity, skipped, replays} ...} ...}.
local lanes, due, hold, state, events = unpack(KEYS)
local target, prefix, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local disabled, open, probe_at, back, failures, since, announced, unfolded = unpack(redis.call('HMGET', state, 'disabled',
  'open_at', 'probe_at', 'back', 'failures', 'failing_since', 'announced', 'unfolded'))
local waiting = redis.call('ZCARD', prefix .. ':pending:' .. target)
local out, leased = {{now, failures or '0', since or '', announced or '', waiting}}, {}
if disabled then
  redis.call('ZREM', due, target)
  return out
end
local quiet = math.max(tonumber(redis.call('GET', hold) or '0'), tonumber(probe_at or '0'))
if quiet > now then
  redis.call('ZADD', due, quiet, target)
  return out
end
local take, most = tonumber(ARGV[5]), tonumber(ARGV[6])
-- What was made before this waited through an outage: a minute, a hold, an open circuit, a disabled target.
local outage = open and now or math.max(now - 60000, tonumber(back or '0'))
-- Whether so many groups are late that they are told together; of the first few, so that it costs the same for any number.
local function many_late(above)
  if redis.call('ZCOUNT', lanes, '-inf', now) <= above then return false end
  local late, first = 0, redis.call('ZRANGEBYSCORE', lanes, '-inf', now, 'WITHSCORES', 'LIMIT', 0, 5 * above)
  for i = 1, #first, 2 do
    local name, score = target .. ':' .. first[i], tonumber(first[i + 1])
    local since = score
    if tonumber(redis.call('HGET', prefix .. ':group:' .. name, 'pinned') or '') == score then
      -- It waited for a retry: what counts is since when it has something to say.
      local head = redis.call('LINDEX', prefix .. ':lane:' .. name, 0)
      since = tonumber(head and redis.call('HGET', prefix .. ':delivery:' .. head, 'made') or score)
    end
    if since <= outage then late = late + 1 end
  end
  return late > above
end
local folding = redis.call('ZSCORE', lanes, '~backlog')
if folding and tonumber(folding) > now then
  redis.call('ZADD', due, folding, target)
  return out
end
if folding then redis.call('ZREM', lanes, '~backlog') end
if tonumber(ARGV[8]) > 0 and not open and now >= tonumber(unfolded or '0') and many_late(tonumber(ARGV[8])) then
  local fence = now + ARGV[9]
  redis.call('ZADD', lanes, fence, '~backlog')
  redis.call('ZADD', due, fence, target)
  out[2] = {'~backlog', tostring(fence), 0}
  return out
end
local ready = redis.call('ZRANGEBYSCORE', lanes, '-inf', now, 'LIMIT', 0, open and 1 or ARGV[4])
for _, lane in ipairs(ready) do
  local queue = prefix .. ':lane:' .. target .. ':' .. lane
  local last = take - 1
  if most > 0 then
    local head = redis.call('LINDEX', queue, 0)
    local made = head and redis.call('HGET', prefix .. ':delivery:' .. head, 'made')
    if made and tonumber(made) <= outage then last = most - 1 end
  end
  local taken = {lane, tostring(now + lease), last > 0 and redis.call('LLEN', queue) > last + 1 and 1 or 0}
  local entries = redis.call('LRANGE', queue, 0, last)
  for _, id in ipairs(entries) do
    local delivery = redis.call('HMGET', prefix .. ':delivery:' .. id, 'stream', 'n', 'made', 'severity', 'skipped', 'replays')
    local entry = delivery[1] and redis.call('XRANGE', events, delivery[1], delivery[1])[1]
    if entry then
      taken[#taken + 1] = {id, delivery[2], entry[2][6], delivery[3], delivery[4], delivery[5] or '', delivery[6] or 0}
    else
      -- Its event is older than the log: it cannot be sent any more.
      redis.call('LREM', queue, 1, id)
      redis.call('ZREM', prefix .. ':pending:' .. target, id)
      if delivery[1] then
        redis.call('HSET', prefix .. ':delivery:' .. id, 'status', 'failed', 'ended', now)
        redis.call('ZADD', prefix .. ':failed:' .. target, delivery[3], id)
      end
    end
  end
  local group = (ARGV[7] == '1' or string.sub(lane, 1, 1) == '~') and prefix .. ':group:' .. target .. ':' .. lane
  if group and redis.call('EXISTS', group) == 0 then group = nil end
  if group then
    -- Who claimed it before and never recorded what became of it may have sent its message.
    local trying = redis.call('HGET', group, 'trying')
    if trying then redis.call('HSET', group, 'lost', trying) end
    redis.call('HSET', group, 'pinned', now + lease, 'trying', now)
  end
  if #taken > 3 or group then
    leased[#leased + 1] = now + lease
    leased[#leased + 1] = lane
    out[#out + 1] = taken
  elseif redis.call('EXISTS', queue) == 0 then
    redis.call('ZREM', lanes, lane)
  end
end
if #leased > 0 then redis.call('ZADD', lanes, unpack(leased)) end
if #leased > 0 and open then
  -- Half open: whatever becomes of this one decides; if it is lost, the next probe is made when its lease lapses.
  probe_at = now + lease
  redis.call('HSET', state, 'probe_at', probe_at, 'probing', leased[1] .. ' ' .. leased[2])
end
local first = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
if first[2] then
  redis.call('ZADD', due, math.max(first[2], open and probe_at or 0), target)
else
  redis.call('ZREM', due, target)
end
return out
