-- Give a lease back only while it is still ours. KEYS lease; ARGV fence. Returns 1, or 0 when it is lost.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
