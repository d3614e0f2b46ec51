-- Claim one slot of a source. KEYS lease source; ARGV owner ttl_ms slot force(1|0)
-- Returns {1, epoch, now_ms, state...} or {0, reason}.
local lease, source = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', lease) == 1 then return {0, 'running'} end
local slot, done = tonumber(ARGV[3]), tonumber(redis.call('HGET', source, 'slot') or '-1')
if ARGV[4] == '0' then
  if slot <= done then return {0, 'done'} end
  if now < tonumber(redis.call('HGET', source, 'paused_until') or '0') then return {0, 'paused'} end
end
local epoch = redis.call('HINCRBY', source, 'epoch', 1)
redis.call('SET', lease, epoch .. ':' .. ARGV[1], 'PX', ARGV[2])
return {1, epoch, now, redis.call('HGETALL', source)}
