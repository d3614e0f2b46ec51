-- Tell once that a target is failing or has recovered. KEYS state events; ARGV failing(1|0) prefix ttl_ms id type body
-- Returns 1 when this call told it, 0 when it was told before.
if ARGV[1] == '1' then
  if redis.call('HSETNX', KEYS[1], 'announced', '1') == 0 then return 0 end
elseif redis.call('HDEL', KEYS[1], 'announced') == 0 then
  return 0
end
redis.call('HINCRBY', KEYS[1], 'news', 1)
local id = redis.call('XADD', KEYS[2], '*', 'id', ARGV[4], 'type', ARGV[5], 'body', ARGV[6])
redis.call('SET', ARGV[2] .. ':event:' .. ARGV[4], id, 'PX', ARGV[3])
return 1
