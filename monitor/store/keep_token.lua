-- End the purchase of an access token: keep it, if there is one, and give the lock back; only while the lock is ours.
-- KEYS token buying; ARGV mark [sealed ttl_ms]. Returns 1, or 0 when the lock is lost and nothing was kept.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if ARGV[2] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
redis.call('DEL', KEYS[2])
return 1
