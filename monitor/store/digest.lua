-- Move a target's digest on to another day, and write its event, at once. KEYS target events
-- ARGV expected_day day until_ms prefix ttl_ms id type body (expected_day empty: none yet; id empty: nothing to say)
-- Returns 1, or 0 when somebody else was faster.
if (redis.call('HGET', KEYS[1], 'digest_day') or '') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'digest_day', ARGV[2], 'digest_ms', ARGV[3])
local where = ARGV[4] .. ':event:' .. ARGV[6]
if ARGV[6] ~= '' and redis.call('EXISTS', where) == 0 then
  local id = redis.call('XADD', KEYS[2], '*', 'id', ARGV[6], 'type', ARGV[7], 'body', ARGV[8])
  redis.call('SET', where, id, 'PX', ARGV[5])
end
return 1
