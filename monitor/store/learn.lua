-- Keep what a scan learnt about the shape of items, with the news of it, each told once; refused without the lease.
-- KEYS lease shape marks events; ARGV fence prefix ttl_ms, and two counted lists: kind, shape | mark, id, type, body
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('FENCED the lease of this scan is lost') end
local first = tonumber(ARGV[4])
for i = 5, 4 + first, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
for i = 6 + first, 5 + first + tonumber(ARGV[5 + first]), 4 do
  local id, where = ARGV[i + 1], ARGV[2] .. ':event:' .. ARGV[i + 1]
  if redis.call('SADD', KEYS[3], ARGV[i]) == 1 and redis.call('EXISTS', where) == 0 then
    local place = redis.call('XADD', KEYS[4], '*', 'id', id, 'type', ARGV[i + 2], 'body', ARGV[i + 3])
    redis.call('SET', where, place, 'PX', ARGV[3])
  end
end
return 1
