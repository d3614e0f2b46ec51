-- Put the sealed secrets of a target in the place of those that were read, unless somebody else was faster.
-- KEYS secrets; ARGV target, sealed before ('' for none), sealed now. Returns 1, or 0 when nothing was written.
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
