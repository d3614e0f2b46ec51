-- Claim further groups for a catch-up message, under the lease of the lane that stands for it. KEYS lanes events
-- ARGV target prefix fence low high skip limit take retries(1|0: only lanes that wait for the retry of what failed)
-- Lanes between the scores low and high are looked at behind the first `skip`, which were left where they are: a lane of
-- another kind (`~...`, `digest`), and with retries one that waits for something else.
-- Returns {ours(1|0), skip, more(1|0), now_ms}, then {lane, score, more(1|0), {delivery_id, attempts made, body, made_ms,
--          severity, skipped, replays} ...} ...
local lanes, events = KEYS[1], KEYS[2]
local target, prefix, fence = ARGV[1], ARGV[2], ARGV[3]
local skip, limit, take = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local time = redis.call('TIME')
local out = {{0, skip, 0, time[1] * 1000 + math.floor(time[2] / 1000)}}
if tonumber(redis.call('ZSCORE', lanes, '~backlog') or '-1') ~= tonumber(fence) then return out end
local found = redis.call('ZRANGEBYSCORE', lanes, ARGV[4], ARGV[5], 'WITHSCORES', 'LIMIT', skip, limit)
local seen, entries = 0, 0
for at = 1, #found, 2 do
  -- Bounded by what waits in the lanes too: a group may hold a hundred events.
  if entries >= 2 * limit then break end
  seen = seen + 1
  local lane, score = found[at], found[at + 1]
  local queue, group = prefix .. ':lane:' .. target .. ':' .. lane, prefix .. ':group:' .. target .. ':' .. lane
  local ids = redis.call('LRANGE', queue, 0, take - 1)
  local fits = string.sub(lane, 1, 1) ~= '~' and lane ~= 'digest' and redis.call('EXISTS', group) == 1
  if fits and ARGV[9] == '1' then
    local again = ids[1] and redis.call('HGET', prefix .. ':delivery:' .. ids[1], 'next')
    fits = again and tonumber(again) == tonumber(score)
  end
  if fits then
    local taken = {lane, score, redis.call('LLEN', queue) > #ids and 1 or 0}
    for _, id in ipairs(ids) do
      local one = redis.call('HMGET', prefix .. ':delivery:' .. id, 'stream', 'n', 'made', 'severity', 'skipped', 'replays')
      local entry = one[1] and redis.call('XRANGE', events, one[1], one[1])[1]
      -- One whose event is older than the log stays, and ends when the lane is claimed by itself.
      if entry then taken[#taken + 1] = {id, one[2], entry[2][6], one[3], one[4], one[5] or '', one[6] or 0} end
      entries = entries + 1
    end
    redis.call('ZADD', lanes, fence, lane)
    local trying = redis.call('HGET', group, 'trying')
    if trying then redis.call('HSET', group, 'lost', trying) end -- as in claim_lanes.lua
    redis.call('HSET', group, 'pinned', fence, 'trying', out[1][4])
    out[#out + 1] = taken
  else
    skip = skip + 1
  end
end
out[1][1], out[1][2], out[1][3] = 1, skip, (seen * 2 < #found or seen == limit) and 1 or 0
return out
