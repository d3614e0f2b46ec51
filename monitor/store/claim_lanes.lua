-- Claim due lanes of one target under a lease: a lane's score becomes the end of the lease, and is its fence.
-- KEYS lanes due hold target events; ARGV target prefix lease_ms limit take
-- Returns {now_ms, {lane, fence, {delivery_id, attempts made, body, made_ms, severity} ...} ...}.
local lanes, due, hold, state, events = unpack(KEYS)
local target, prefix, lease = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = tonumber(redis.call('GET', hold) or '0')
if redis.call('HEXISTS', state, 'disabled') == 1 then
  redis.call('ZREM', due, target)
  return {now}
end
if held > now then
  redis.call('ZADD', due, held, target)
  return {now}
end
local out, leased = {now}, {}
local ready = redis.call('ZRANGEBYSCORE', lanes, '-inf', now, 'LIMIT', 0, ARGV[4])
for _, lane in ipairs(ready) do
  local queue = prefix .. ':lane:' .. target .. ':' .. lane
  local taken = {lane, tostring(now + lease)}
  local entries = redis.call('LRANGE', queue, 0, tonumber(ARGV[5]) - 1)
  for _, id in ipairs(entries) do
    local delivery = redis.call('HMGET', prefix .. ':delivery:' .. id, 'stream', 'n', 'made', 'severity')
    local entry = delivery[1] and redis.call('XRANGE', events, delivery[1], delivery[1])[1]
    if entry then
      taken[#taken + 1] = {id, delivery[2], entry[2][6], delivery[3], delivery[4]}
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
  if #taken > 2 then
    leased[#leased + 1] = now + lease
    leased[#leased + 1] = lane
    out[#out + 1] = taken
  elseif redis.call('EXISTS', queue) == 0 then
    redis.call('ZREM', lanes, lane)
  end
end
if #leased > 0 then redis.call('ZADD', lanes, unpack(leased)) end
local first = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
if first[2] then redis.call('ZADD', due, first[2], target) else redis.call('ZREM', due, target) end
return out
