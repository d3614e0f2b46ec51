-- Put deliveries of a run of events into their lanes and move the cursor, at once; refused when another relay was faster.
-- KEYS relay due; ARGV expected_cursor cursor prefix retention_ms count, then per delivery:
--      target lane wait_ms interval_ms delivery_id event_id stream_id type key route severity
-- A lane without work is due after its wait, and not sooner than its interval after it was last due.
-- Returns the number of new deliveries, or -1 when the cursor was not the expected one.
local relay, due = KEYS[1], KEYS[2]
if (redis.call('GET', relay) or '0-0') ~= ARGV[1] then return -1 end
local prefix, retention = ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local made, at, touched, listed = 0, 6, {}, {}
for _ = 1, tonumber(ARGV[5]) do
  local target, lane, wait, interval = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local id = ARGV[at + 4]
  local delivery = prefix .. ':delivery:' .. id
  if redis.call('EXISTS', delivery) == 0 then
    redis.call('HSET', delivery, 'event', ARGV[at + 5], 'stream', ARGV[at + 6], 'type', ARGV[at + 7], 'key', ARGV[at + 8],
      'route', ARGV[at + 9], 'severity', ARGV[at + 10], 'target', target, 'lane', lane, 'status', 'pending', 'made', now, 'n', 0)
    redis.call('PEXPIRE', delivery, retention)
    local new = listed[target] or {}
    new[#new + 1] = now
    new[#new + 1] = id
    listed[target] = new
    redis.call('RPUSH', prefix .. ':lane:' .. target .. ':' .. lane, id)
    local lanes = prefix .. ':lanes:' .. target
    if interval == 0 then
      redis.call('ZADD', lanes, 'NX', now + wait, lane)
    elseif not redis.call('ZSCORE', lanes, lane) then
      local flushed = prefix .. ':flushed:' .. target .. ':' .. lane
      local when = math.max(now + wait, tonumber(redis.call('GET', flushed) or '0'))
      redis.call('SET', flushed, when + interval, 'PX', when + interval - now)
      redis.call('ZADD', lanes, when, lane)
    end
    touched[target] = lanes
    made = made + 1
  end
  at = at + 11
end
for target, new in pairs(listed) do
  -- In parts: Lua hands over some thousand words at once at the most.
  for i = 1, #new, 1000 do
    local last = math.min(i + 999, #new)
    redis.call('ZADD', prefix .. ':deliveries:' .. target, unpack(new, i, last))
    redis.call('ZADD', prefix .. ':pending:' .. target, unpack(new, i, last))
  end
end
for target, lanes in pairs(touched) do
  redis.call('ZADD', due, redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')[2], target)
end
redis.call('SET', relay, ARGV[2])
return made
