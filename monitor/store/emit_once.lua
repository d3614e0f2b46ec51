-- Write one event about the monitor unless its mark was set before. KEYS marks events; ARGV mark prefix ttl_ms id type body
if redis.call('SADD', KEYS[1], ARGV[1]) == 0 then return 0 end
local where = ARGV[2] .. ':event:' .. ARGV[4]
if redis.call('EXISTS', where) == 1 then return 0 end
local id = redis.call('XADD', KEYS[2], '*', 'id', ARGV[4], 'type', ARGV[5], 'body', ARGV[6])
redis.call('SET', where, id, 'PX', ARGV[3])
return 1
