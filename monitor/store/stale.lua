-- Tell once that a source is stale, unless a scan has made it fresh meanwhile. The good scan that closes it forgets
-- the mark. KEYS source events; ARGV fresh_at since prefix ttl_ms id type body. Returns 1 when this call told it.
if (redis.call('HGET', KEYS[1], 'fresh_at') or '') ~= ARGV[1] then return 0 end
if redis.call('HSETNX', KEYS[1], 'stale', ARGV[2]) == 0 then return 0 end
local id = redis.call('XADD', KEYS[2], '*', 'id', ARGV[5], 'type', ARGV[6], 'body', ARGV[7])
redis.call('SET', ARGV[3] .. ':event:' .. ARGV[5], id, 'PX', ARGV[4])
return 1
