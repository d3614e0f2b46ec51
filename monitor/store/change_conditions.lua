-- Write one ledger of conditions, and have groups looked at now.
-- KEYS conditions due; ARGV prefix key expected_version value brief (key empty: no ledger), then target, lane of groups
-- Returns 1, or 0 when the ledger was not the expected one: then nothing has changed.
local book, due, prefix, key, value = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if key ~= '' then
  local stored = redis.call('HGET', book, key)
  if (stored and string.match(stored, '^{"version":(%d+)') or '') ~= ARGV[3] then return 0 end
  if value == '' then
    redis.call('HDEL', book, key)
    redis.call('HDEL', prefix .. ':briefs', key)
  else
    redis.call('HSET', book, key, value)
    redis.call('HSET', prefix .. ':briefs', key, ARGV[5])
  end
end
local touched = {}
for i = 6, #ARGV, 2 do
  local target, lane = ARGV[i], ARGV[i + 1]
  local group, lanes = prefix .. ':group:' .. target .. ':' .. lane, prefix .. ':lanes:' .. target
  local score, pinned = redis.call('ZSCORE', lanes, lane), redis.call('HGET', group, 'pinned')
  if score and pinned and tonumber(score) == tonumber(pinned) then
    redis.call('HINCRBY', group, 'dirty', 1) -- somebody sends it now, or it waits for its retry
  elseif (not score or tonumber(score) > now) and redis.call('EXISTS', group) == 1 then
    redis.call('ZADD', lanes, now, lane)
    touched[target] = lanes
  end
end
for target, lanes in pairs(touched) do
  redis.call('ZADD', due, redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')[2], target)
end
return 1
