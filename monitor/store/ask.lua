-- Ask for a scan of a source. KEYS source; ARGV operator(1|0). Returns when it was asked (ms).
-- Later than any scan that has begun, whatever the millisecond: what is asked during a scan makes one more.
local source = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local begun, reason = unpack(redis.call('HMGET', source, 'begun', 'reason'))
local asked = math.max(now, tonumber(begun or '0') + 1)
redis.call('HSET', source, 'asked', string.format('%d', asked))
if ARGV[1] == '1' and reason == 'credentials_rejected' then redis.call('HDEL', source, 'paused_until') end
return asked
