-- The budget of one credential, shared by all workers: note what one caller learnt, and let its next requests go out.
-- KEYS budget; ARGV caller concurrency interval_ms busy wanted good bad(1|0) pause_ms left quota reset_ms
--      `busy` are requests of this caller in flight, `wanted` how many more it would send (0: it only reports, -1: and gives up its turn);
--      `good` answers since the last call, `left` of `quota` requests until `reset_ms` from now (-1: not told).
-- Returns {granted, wait_us, why}: `granted` requests may be in flight more, or none before the wait; why: free (nobody
--      else is there and nothing is counted, so the caller may go on like that for a moment) | counted | paused | quota | turn.
-- Callers that cannot go queue by ticket, and the first of them goes first, so none starves another. What a caller
-- wrote lapses by itself, so that a dead worker holds nobody for longer than a second.
local key, caller = KEYS[1], ARGV[1]
local concurrency, interval, busy, wanted = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local good, bad, pause, left = tonumber(ARGV[6]), ARGV[7] == '1', tonumber(ARGV[8]), tonumber(ARGV[9])
local KEEP_MS, LIFE_MS, ONCE_MS, SHARE, POLL_MS = 3600000, 1000, 1000, 0.2, 10
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local state, flat = {}, redis.call('HGETALL', key)
for i = 1, #flat, 2 do state[flat[i]] = flat[i + 1] end
local function put(field, value)
  state[field] = value and string.format('%.3f', value) or nil
  if value then redis.call('HSET', key, field, state[field]) else redis.call('HDEL', key, field) end
end
local function number(field) return tonumber(state[field] or '0') end

-- What was learnt: fewer at once after trouble (once a second, whoever reports it), slowly more while all is well.
local allowed = math.min(number('allowed') > 0 and number('allowed') or concurrency, concurrency)
if bad then
  if now - number('shrunk_at') >= ONCE_MS then
    allowed = math.max(1, math.floor(allowed / 2))
    put('allowed', allowed)
    put('shrunk_at', now)
  end
elseif good > 0 and state.allowed then
  allowed = math.min(concurrency, allowed + good / 10)
  put('allowed', allowed < concurrency and allowed or nil)
end
if left >= 0 then
  local ends = now + tonumber(ARGV[11])
  if now < number('ends') and ends < number('ends') + 2000 then
    -- The same window: answers overtake each other, and what was granted since is not in them yet.
    left, ends = math.min(left, number('left')), number('ends')
  end
  put('left', left)
  put('quota', tonumber(ARGV[10]))
  put('ends', ends)
end
if pause > 0 and now + pause > number('paused') then put('paused', now + pause) end

-- Who else sends or waits; what has lapsed is forgotten.
local others, ahead, alone, ticket = 0, 0, true, nil
for field, value in pairs(state) do
  local kind, who = field:match('^(%l+) (.+)$')
  if kind then
    local amount, lapses = value:match('(%S+) (%S+)')
    if tonumber(lapses) <= now then
      redis.call('HDEL', key, field)
    elseif who == caller then
      if kind == 'waits' then ticket = tonumber(amount) end
    else
      alone = false
      if kind == 'sends' then others = others + tonumber(amount) end
    end
  end
end
for field, value in pairs(state) do
  local who = field:match('^waits (.+)$')
  local theirs, lapses = value:match('(%S+) (%S+)')
  if who and who ~= caller and tonumber(lapses) > now and (not ticket or tonumber(theirs) < ticket) then
    ahead = ahead + 1
  end
end
local function sends(amount)
  if amount > 0 then
    redis.call('HSET', key, 'sends ' .. caller, string.format('%d %.3f', amount, now + LIFE_MS))
  elseif state['sends ' .. caller] then
    redis.call('HDEL', key, 'sends ' .. caller)
  end
end
local function forget_turn()
  if ticket then redis.call('HDEL', key, 'waits ' .. caller) end
end
local function answer(granted, wait, why)
  sends(busy + granted)
  redis.call('PEXPIRE', key, math.ceil(KEEP_MS + math.max(0, number('paused') - now)))
  return {granted, math.ceil(wait * 1000), why}
end

if wanted < 0 then forget_turn() end
if wanted < 1 then return answer(0, 0, alone and 'free' or 'counted') end
local limited = now < number('ends')
local empty = limited and number('left') < 1
if now < number('paused') or empty then
  forget_turn()
  return answer(0, math.max(number('paused'), empty and number('ends') or 0) - now, empty and 'quota' or 'paused')
end
local why = 'turn'
if limited and number('left') < SHARE * number('quota') then
  -- The rest of a quota is spread over the time that is left, so that no source has to stop until its end.
  local spread = (number('ends') - now) / number('left')
  if spread > interval then interval, why = spread, 'quota' end
end
local wait = interval > 0 and number('last') + interval - now or 0
if wait > 0.5 or ahead > 0 or others + busy + 1 > allowed then
  wait = wait > 0.5 and wait + ahead * interval or POLL_MS * math.min(1 + ahead, 10)
  if not ticket then ticket = redis.call('HINCRBY', key, 'tickets', 1) end
  redis.call('HSET', key, 'waits ' .. caller, string.format('%d %.3f', ticket, now + wait + LIFE_MS))
  return answer(0, wait, why)
end
forget_turn()
-- A caller that woke a moment early is let go, and the next is not any earlier for it.
if interval > 0 then put('last', now + math.max(0, wait)) end
if limited then put('left', number('left') - 1) end
if alone and interval == 0 and not limited then
  return answer(math.max(1, math.min(wanted, math.floor(allowed) - busy)), 0, 'free')
end
return answer(1, 0, 'counted')
