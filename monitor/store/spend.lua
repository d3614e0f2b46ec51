-- Take one from a bucket that fills by itself, for all who share it, or pause it. KEYS bucket; ARGV rate(a second) burst pause_ms
-- Returns {wait_ms, paused(1|0)}: wait 0: taken; else look again then. With pause_ms > 0 nothing is taken.
local key, rate, burst, pause = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local tokens, at, paused = unpack(redis.call('HMGET', key, 'tokens', 'at', 'paused'))
tokens, at, paused = tonumber(tokens or burst), tonumber(at or now), tonumber(paused or '0')
if pause > 0 then paused = math.max(paused, now + pause) end
tokens = math.min(burst, tokens + math.max(0, now - at) * rate / 1000)
local wait = 0
if paused > now then
  wait = paused - now
elseif tokens < 1 then
  wait = (1 - tokens) / rate * 1000
else
  tokens = tokens - 1
end
redis.call('HSET', key, 'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', now), 'paused',
  string.format('%.3f', paused))
redis.call('PEXPIRE', key, math.ceil(burst / rate * 1000 + math.max(0, paused - now)) + 1000)
return {math.ceil(wait), paused > now and 1 or 0}
