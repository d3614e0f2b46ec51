-- Put groups back that a catch-up message claimed and does not tell, each where it was. KEYS lanes due state
-- ARGV target prefix fence pause_ms(0: none; no catch-up is tried for so long) untold(1: no message told of them)
--      then per lane: lane score
local lanes, due, state = unpack(KEYS)
local target, prefix, fence = ARGV[1], ARGV[2], tonumber(ARGV[3])
for i = 6, #ARGV, 2 do
  if tonumber(redis.call('ZSCORE', lanes, ARGV[i]) or '-1') == fence then
    redis.call('ZADD', lanes, ARGV[i + 1], ARGV[i])
    local group = prefix .. ':group:' .. target .. ':' .. ARGV[i]
    redis.call('HSET', group, 'pinned', ARGV[i + 1])
    if ARGV[5] == '1' then redis.call('HDEL', group, 'trying') end
  end
end
if tonumber(ARGV[4]) > 0 then
  local time = redis.call('TIME')
  redis.call('HSET', state, 'unfolded', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[4])
end
local first = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
if first[2] then redis.call('ZADD', due, first[2], target) end
return 1
