-- Settle deliveries of a claimed lane as superseded by a later one, which lists them. KEYS lanes
-- ARGV target prefix lane fence, then per delivery that stays: its id, its list as JSON, a counted list of superseded ids
-- Returns 1, or 0 when the lane is not ours any more.
local target, prefix, lane = ARGV[1], ARGV[2], ARGV[3]
if tonumber(redis.call('ZSCORE', KEYS[1], lane) or '-1') ~= tonumber(ARGV[4]) then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = 5
while at <= #ARGV do
  local keeper, count = ARGV[at], tonumber(ARGV[at + 2])
  redis.call('HSET', prefix .. ':delivery:' .. keeper, 'skipped', ARGV[at + 1])
  for i = at + 3, at + 2 + count do
    local id = ARGV[i]
    redis.call('HSET', prefix .. ':delivery:' .. id, 'status', 'superseded', 'by', keeper, 'ended', now)
    redis.call('HDEL', prefix .. ':delivery:' .. id, 'next')
    redis.call('LREM', prefix .. ':lane:' .. target .. ':' .. lane, 1, id)
    redis.call('ZREM', prefix .. ':pending:' .. target, id)
  end
  at = at + 3 + count
end
return 1
