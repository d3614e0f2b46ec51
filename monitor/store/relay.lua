-- Put deliveries of a run of events into their lanes and move the cursor, at once; refused when another relay was faster.
-- KEYS relay due; ARGV expected_cursor cursor prefix retention_ms count, then per delivery:
--      target lane wait_ms delivery_id event_id stream_id type key route severity (wait -1: the lane is a group's)
--      then four lists, each after its length:
--      of groups: target lane wait_ms interval_ms member meta (member: a condition that stands there, or empty)
--      of deliveries that are not sent: target lane delivery_id event_id stream_id type key route severity reason
--      of ledgers: key expected_version value brief (version empty: none is there; value empty: forget it)
--      and how many events there were: hour minute source (`-`: none) count
-- Returns the number of new deliveries, -1 when the cursor was not the expected one, -2 when a ledger was not.
local relay, due = KEYS[1], KEYS[2]
if (redis.call('GET', relay) or '0-0') ~= ARGV[1] then return -1 end
local prefix, retention = ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local groups = 6 + 10 * ARGV[5]
local unsent = groups + 1 + 6 * ARGV[groups]
local ledgers = unsent + 1 + 10 * ARGV[unsent]
local book, briefs = prefix .. ':conditions', prefix .. ':briefs'
for at = ledgers + 1, ledgers + 4 * ARGV[ledgers], 4 do
  local stored = redis.call('HGET', book, ARGV[at])
  if (stored and string.match(stored, '^{"version":(%d+)') or '') ~= ARGV[at + 1] then return -2 end
end
local made, touched, listed = 0, {}, {}
local function note(target, id, pending)
  local new = listed[target] or {all = {}, pending = {}}
  listed[target] = new
  for _, list in ipairs(pending and {new.all, new.pending} or {new.all}) do
    list[#list + 1] = now
    list[#list + 1] = id
  end
end
local function deliver(at, target, lane, id, status, ...)
  local delivery = prefix .. ':delivery:' .. id
  if redis.call('EXISTS', delivery) == 1 then return false end
  redis.call('HSET', delivery, 'event', ARGV[at], 'stream', ARGV[at + 1], 'type', ARGV[at + 2], 'key', ARGV[at + 3], 'route',
    ARGV[at + 4], 'severity', ARGV[at + 5], 'target', target, 'lane', lane, 'status', status, 'made', now, 'n', 0, ...)
  redis.call('PEXPIRE', delivery, retention)
  note(target, id, status == 'pending')
  return true
end
for at = 6, groups - 1, 10 do
  local target, lane, wait, id = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
  if deliver(at + 4, target, lane, id, 'pending') then
    redis.call('RPUSH', prefix .. ':lane:' .. target .. ':' .. lane, id)
    local lanes = prefix .. ':lanes:' .. target
    if wait >= 0 then redis.call('ZADD', lanes, 'NX', now + wait, lane) end
    touched[target] = lanes
    made = made + 1
  end
end
for at = groups + 1, unsent - 1, 6 do
  local target, lane, wait, interval = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local group, lanes = prefix .. ':group:' .. target .. ':' .. lane, prefix .. ':lanes:' .. target
  if ARGV[at + 4] ~= '' then redis.call('SADD', prefix .. ':members:' .. target .. ':' .. lane, ARGV[at + 4]) end
  local live, anchor, flushed, pinned = unpack(redis.call('HMGET', group, 'live', 'anchor', 'flushed', 'pinned'))
  redis.call('HSET', group, 'wait', wait, 'interval', interval)
  if ARGV[at + 5] ~= '' then redis.call('HSET', group, 'meta', ARGV[at + 5]) end
  redis.call('PERSIST', group)
  -- On the group's next tick while it has something open; else after its wait, and its interval since its last message.
  local due = math.max(now + wait, (tonumber(flushed or '') or -interval) + interval)
  if live == '1' then
    due = interval > 0 and anchor + (math.floor((now - anchor) / interval) + 1) * interval or now
  end
  local score = redis.call('ZSCORE', lanes, lane)
  if score and pinned and tonumber(score) == tonumber(pinned) then
    redis.call('HINCRBY', group, 'dirty', 1) -- somebody sends it now, or it waits for its retry
  elseif not score or due < tonumber(score) then
    redis.call('ZADD', lanes, due, lane)
  end
  touched[target] = lanes
end
for at = unsent + 1, ledgers - 1, 10 do
  deliver(at + 3, ARGV[at], ARGV[at + 1], ARGV[at + 2], 'suppressed', 'reason', ARGV[at + 9], 'ended', now)
end
for at = ledgers + 1, ledgers + 4 * ARGV[ledgers], 4 do
  if ARGV[at + 2] == '' then
    redis.call('HDEL', book, ARGV[at])
    redis.call('HDEL', briefs, ARGV[at])
  else
    redis.call('HSET', book, ARGV[at], ARGV[at + 2])
    redis.call('HSET', briefs, ARGV[at], ARGV[at + 3])
  end
end
-- In parts: Lua hands over some thousand words at once at the most.
local function write(key, words)
  for i = 1, #words, 1000 do redis.call('ZADD', key, unpack(words, i, math.min(i + 999, #words))) end
end
for target, new in pairs(listed) do
  write(prefix .. ':deliveries:' .. target, new.all)
  write(prefix .. ':pending:' .. target, new.pending)
end
for target, lanes in pairs(touched) do
  local first = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
  if first[2] then redis.call('ZADD', due, first[2], target) end
end
local happened = ledgers + 1 + 4 * ARGV[ledgers]
for at = happened + 1, happened + 4 * ARGV[happened], 4 do
  local key = prefix .. ':minutes:' .. ARGV[at + 2] .. ':' .. ARGV[at]
  redis.call('HINCRBY', key, ARGV[at + 1] .. ':events', ARGV[at + 3])
  redis.call('PEXPIREAT', key, (ARGV[at] + 49) * 3600000)
end
redis.call('SET', relay, ARGV[2])
return made
