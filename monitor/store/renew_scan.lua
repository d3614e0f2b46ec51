-- Renew a lease only while it is still ours. KEYS lease; ARGV fence ttl_ms. Returns 1, or 0 when it is lost.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
