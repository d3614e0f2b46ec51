-- Forget items that were removed before a time. KEYS docs gone; ARGV oldest_ms limit. Returns the ids that were forgotten.
-- In one step with looking: an item that comes back meanwhile is not gone any more, and keeps its document.
local ids = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
return ids
