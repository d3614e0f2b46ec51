-- Claim one slot of a source. KEYS lease source; ARGV owner ttl_ms slot force(1|0)
-- A slot that is done is claimed again when somebody has asked for a scan since the last one that ended began.
-- Returns {1, epoch, now_ms, state...} or {0, reason}.
local lease, source = KEYS[1], KEYS[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('EXISTS', lease) == 1 then return {0, 'running'} end
local slot, done = tonumber(ARGV[3]), tonumber(redis.call('HGET', source, 'slot') or '-1')
local asked, looked = unpack(redis.call('HMGET', source, 'asked', 'looked'))
asked, looked = tonumber(asked or '0'), tonumber(looked or '0')
if ARGV[4] == '0' then
  if slot <= done and asked <= looked then return {0, 'done'} end
  if now < tonumber(redis.call('HGET', source, 'paused_until') or '0') then return {0, 'paused'} end
end
local epoch = redis.call('HINCRBY', source, 'epoch', 1)
redis.call('HSET', source, 'begun', string.format('%d', math.max(now, asked)))
redis.call('SET', lease, epoch .. ':' .. ARGV[1], 'PX', ARGV[2])
return {1, epoch, now, redis.call('HGETALL', source)}
