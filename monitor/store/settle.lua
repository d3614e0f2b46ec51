-- Record attempts and free or reschedule their lanes. KEYS lanes due hold state events
-- ARGV target prefix event_ttl_ms hold_ms disable(1|0) lane_count random(0..1), failing_after open_after probe_first_ms
--      probe_longest_ms disable_after_ms forgive_ms (monitor/store/patience.py), then per lane:
--      lane fence verdict(delivered|retry|failed|quiet) delay_ms network(1|0, empty: not known, `-`: another lane's
--      message told this one's too and is what counts) asked(1: for so long a quiet that it is told), and four counted lists:
--      delivery_id, attempt JSON | id, type, body of events | delivery_id, reason of those that are not sent
--      | of a group: see monitor/store/groups.py
-- A lane whose fence is no longer ours keeps its place (somebody else sends it now), but the attempt is recorded, once.
-- Of the events, failing, recovered and disabled are told only by the lane that made it so.
-- Returns {failures in a row, announced and not asked for quiet(1|0), stale lanes}.
local lanes, due, hold, state, events = unpack(KEYS)
local target, prefix, event_ttl = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local failing_after, open_after = tonumber(ARGV[8]), tonumber(ARGV[9])
local quiet, held_until = tonumber(ARGV[4]), tonumber(redis.call('GET', hold) or '0')
local at, stale = 14, 0
local function take()
  local value = ARGV[at]
  at = at + 1
  return value
end
local function list()
  local out = {}
  for i = 1, tonumber(take()) do out[i] = take() end
  return out
end
local names = {'failures', 'failing_since', 'failed_at', 'announced', 'net', 'net_lane', 'open_at', 'probe_at', 'probes',
  'probing', 'back'}
local was, is = redis.call('HMGET', state, unpack(names)), {}
for i, name in ipairs(names) do is[name] = was[i] or nil end
local failures, success, delivered, failed, retried = tonumber(is.failures or '0'), false, 0, 0, 0
-- The next probe: twice as long after each that failed, within 20 %, so that workers and targets do not march in step.
local function probe_later()
  local wait = math.min(tonumber(ARGV[11]), tonumber(ARGV[10]) * 2 ^ tonumber(is.probes))
  is.probe_at, is.probing = now + math.floor(wait * (0.8 + 0.4 * tonumber(ARGV[7]))), nil
end
-- What an attempt says of the way to the receiver: failures of the network kind open the circuit, any answer closes it.
local function judge_way(network, lane, probe)
  if network == '0' then
    if is.open_at then is.back = now end
    is.net, is.net_lane, is.open_at, is.probe_at, is.probes, is.probing = nil, nil, nil, nil, nil, nil
  elseif network == '1' and not is.open_at then
    is.net = (is.net or 0) + 1
    -- One lane in trouble is no reason to hold the others: its own schedule slows it.
    if is.net == 1 then is.net_lane = lane elseif is.net_lane ~= lane then is.net_lane = '' end
    if is.net >= open_after and is.net_lane == '' then
      is.open_at, is.probes = now, 0
      probe_later()
    end
  elseif probe then
    is.probes = is.probes + 1
    probe_later()
  end
end
-- Whether an event of this type is news now; what it says is then so.
local function is_news(type, ours, asked)
  if type == 'jobwire.target.failing' then
    if not ours or is.announced == 'failing' or is.announced == '1' then return false end
    if failures < failing_after and not asked then return false end
    is.announced = 'failing'
  elseif type == 'jobwire.target.recovered' then
    -- What arrived while another's answer asked for quiet does not end that.
    if not ours or failures > 0 or not is.announced or math.max(held_until, now + quiet) > now then return false end
    is.announced = nil
  elseif type == 'jobwire.target.disabled' then
    local long = failures > 0 and now - (is.failing_since or now) >= tonumber(ARGV[12])
    if not (ARGV[5] == '1' or (ours and long)) or redis.call('HSETNX', state, 'disabled', now) == 0 then return false end
    is.announced = is.announced or 'disabled'
  else
    return ours
  end
  return true
end
-- A reminder, or a message about what only ended, stands on no delivery that waits: it gets one of its own.
local function remind(group, lane, attempts)
  local event, stream, type, key, route, severity = unpack(group, 9, 14)
  for i = 1, event ~= '' and #attempts or 0, 2 do
    local delivery = prefix .. ':delivery:' .. attempts[i]
    if redis.call('EXISTS', delivery) == 0 then
      redis.call('HSET', delivery, 'event', event, 'stream', stream, 'type', type, 'key', key, 'route', route, 'severity',
        severity, 'target', target, 'lane', lane, 'status', 'pending', 'made', now, 'n', 0)
      redis.call('PEXPIRE', delivery, event_ttl)
      redis.call('ZADD', prefix .. ':deliveries:' .. target, now, attempts[i])
      redis.call('ZADD', prefix .. ':pending:' .. target, now, attempts[i])
    end
  end
  for i = 1, #attempts, 2 do
    local delivery = prefix .. ':delivery:' .. attempts[i]
    if redis.call('EXISTS', delivery) == 1 then redis.call('HSET', delivery, 'reason', group[8]) end
  end
end
-- A group's lane after its turn: its book is kept, and it is due again when a timer runs out or news came meanwhile.
local function regroup(group, lane, queue, retry_at)
  local dirty, next, anchor, live, flushed, full, book = unpack(group, 1, 7)
  local key = prefix .. ':group:' .. target .. ':' .. lane
  redis.call('HSET', key, 'book', book, 'anchor', anchor, 'live', live)
  redis.call('HDEL', key, 'trying', 'lost')
  if flushed ~= '' then redis.call('HSET', key, 'flushed', flushed) end
  for i = 15, #group do redis.call('SREM', prefix .. ':members:' .. target .. ':' .. lane, group[i]) end
  local moved, wait, interval, last = unpack(redis.call('HMGET', key, 'dirty', 'wait', 'interval', 'flushed'))
  interval = tonumber(interval or '0')
  local due = retry_at or tonumber(next)
  if not retry_at and (redis.call('EXISTS', queue) == 1 or (moved or '0') ~= dirty) then
    local soon = math.max(now + (wait or 0), (tonumber(last or '') or 0) + interval)
    if live == '1' and interval > 0 then soon = anchor + (math.floor((now - anchor) / interval) + 1) * interval end
    if full == '1' then soon = now end
    due = math.min(due or soon, soon)
  end
  redis.call('HSET', key, 'pinned', retry_at or '')
  if due then redis.call('ZADD', lanes, due, lane) else redis.call('ZREM', lanes, lane) end
  if redis.call('EXISTS', prefix .. ':members:' .. target .. ':' .. lane) == 0 then
    -- Nothing is open: what the target asked to remember is kept for the next time, timers while they may count.
    local remembers = string.find(book, '"memory"', 1, true)
    redis.call('PEXPIRE', key, remembers and event_ttl or math.max(2 * interval, 3600000))
  end
end
-- Totals for whoever draws them: durations by the lowest limit (ms) that holds them, as monitor/store/totals.py reads them.
local totals = {}
local limits = {50, 100, 250, 500, 1000, 2500, 5000, 10000, 15000, 30000, 60000, 300000, 1800000, 3600000, 21600000, 86400000}
local function count(field, amount) totals[field] = (totals[field] or 0) + amount end
local function count_ms(name, ms)
  local at_most = 'more'
  for i = #limits, 1, -1 do
    if ms <= limits[i] then at_most = string.format('%d', limits[i]) end
  end
  count(name .. ':' .. at_most, 1)
  count(name .. ':ms', ms)
end
-- An attempt is counted once, whatever the number of deliveries in it; a first arrival by how long ago the change was seen.
local function count_attempt(verdict, attempt)
  local status, ms = string.match(attempt, '"status":(%w+),"ms":(%d+)')
  if not ms then return end
  count('made:' .. verdict .. ':' .. (status == 'null' and 'none' or string.sub(status, 1, 1) .. 'xx'), 1)
  count_ms('took', tonumber(ms))
end
local ended, given_up = {}, {}
for _ = 1, tonumber(ARGV[6]) do
  local lane, fence, verdict, due_ms, network = take(), take(), take(), now + tonumber(take()), take()
  local asked = take() == '1'
  local attempts, facts, unsent, group = list(), list(), list(), list()
  local queue = prefix .. ':lane:' .. target .. ':' .. lane
  local ours = tonumber(redis.call('ZSCORE', lanes, lane) or '-1') == tonumber(fence)
  if #group > 0 and ours then remind(group, lane, attempts) end
  local probe, repeated = is.probing == fence .. ' ' .. lane, lane == '~backlog' and not ours
  for i = 1, #attempts, 2 do
    local delivery, attempt = prefix .. ':delivery:' .. attempts[i], attempts[i + 1]
    local made, n, told, due_again, status, seen, replays =
      unpack(redis.call('HMGET', delivery, 'made', 'n', 'attempts', 'next', 'status', 'stream', 'replays'))
    if made and not ours and told and string.sub(told, -#attempt) == attempt then
      repeated = true
    elseif made then
      -- What is kept of a delivery is bounded: the oldest attempts make way.
      while told and #told > 65536 and string.find(told, ',\n', 1, true) do
        told = string.sub(told, string.find(told, ',\n', 1, true) + 2)
      end
      if verdict == 'delivered' and status ~= 'delivered' and not replays then
        count_ms('after', math.max(0, now - tonumber(string.match(seen, '^%d+'))))
      end
      local known = {'n', n + 1, 'attempts', told and (told .. ',\n' .. attempt) or attempt}
      -- A late answer ends nothing that somebody else decides now, unless it says that the message arrived.
      if verdict == 'delivered' or (verdict == 'failed' and ours and status ~= 'delivered') then
        redis.call('HSET', delivery, 'status', verdict, 'ended', now, unpack(known))
        if due_again then redis.call('HDEL', delivery, 'next') end
        ended[#ended + 1] = attempts[i]
        if verdict == 'failed' then
          given_up[#given_up + 1] = made
          given_up[#given_up + 1] = attempts[i]
        end
      elseif ours then
        redis.call('HSET', delivery, 'next', due_ms, unpack(known))
      else
        redis.call('HSET', delivery, unpack(known))
      end
    end
    if ours and verdict ~= 'retry' then redis.call('LREM', queue, 1, attempts[i]) end
  end
  for i = 1, ours and #unsent or 0, 2 do
    local delivery = prefix .. ':delivery:' .. unsent[i]
    if redis.call('EXISTS', delivery) == 1 then
      redis.call('HSET', delivery, 'status', 'suppressed', 'reason', unsent[i + 1], 'ended', now)
      redis.call('HDEL', delivery, 'next')
    end
    redis.call('LREM', queue, 1, unsent[i])
    ended[#ended + 1] = unsent[i]
  end
  if not ours then
    stale = stale + 1
  elseif #group > 0 then
    regroup(group, lane, queue, verdict == 'retry' and due_ms)
  elseif verdict == 'retry' then
    redis.call('ZADD', lanes, due_ms, lane)
  elseif redis.call('EXISTS', queue) == 1 then
    redis.call('ZADD', lanes, due_ms, lane)
  else
    redis.call('ZREM', lanes, lane)
  end
  if #attempts == 0 then
    -- Handed back untried: nothing is known, nothing is counted.
    if probe then is.probe_at, is.probing = now, nil end
  elseif repeated then
    facts = {}
  elseif network == '-' then
    if verdict == 'delivered' then
      count('folded', 1)
      success, delivered = true, delivered + #attempts / 2
    elseif verdict == 'failed' then
      failed = failed + 1
    end
  elseif verdict == 'delivered' then
    if lane == '~backlog' then
      count('caught_up', 1)
      delivered = delivered - 1
    end
    count_attempt(verdict, attempts[2])
    failures, success, delivered = 0, true, delivered + #attempts / 2
    judge_way('0', lane, probe)
  else
    count_attempt(verdict, attempts[2])
    failures = failures + 1
    if failures == 1 or now - (is.failed_at or now) > tonumber(ARGV[13]) then is.failing_since = now end
    is.failed_at = now
    redis.call('HSET', state, 'failed_by', attempts[2])
    -- Refused for good, a catch-up message gives up nothing: its groups say what becomes of them.
    if verdict ~= 'failed' then retried = retried + 1 elseif lane ~= '~backlog' then failed = failed + 1 end
    judge_way(network, lane, probe)
  end
  for i = 1, #facts, 3 do
    local where = prefix .. ':event:' .. facts[i]
    if is_news(facts[i + 1], ours, asked) and redis.call('EXISTS', where) == 0 then
      local id = redis.call('XADD', events, '*', 'id', facts[i], 'type', facts[i + 1], 'body', facts[i + 2])
      redis.call('SET', where, id, 'PX', event_ttl)
    end
  end
end
-- In parts: Lua hands over some thousand words at once at the most.
for i = 1, #ended, 1000 do
  local last = math.min(i + 999, #ended)
  redis.call('ZREM', prefix .. ':pending:' .. target, unpack(ended, i, last))
  redis.call('ZREM', prefix .. ':failed:' .. target, unpack(ended, i, last))
end
for i = 1, #given_up, 1000 do
  redis.call('ZADD', prefix .. ':failed:' .. target, unpack(given_up, i, math.min(i + 999, #given_up)))
end
if success then
  redis.call('HSET', state, 'success_at', now)
  redis.call('HINCRBY', state, 'delivered', delivered)
end
-- The same by the minute, of all targets together, for two days: monitor/store/minutes.py.
local hour = math.floor(now / 3600000)
local attempted, minute = prefix .. ':attempted:' .. hour, math.floor(now / 60000) % 60 .. ':'
for field, amount in pairs(totals) do
  redis.call('HINCRBY', prefix .. ':attempts:' .. target, field, amount)
  local what = string.match(field, '^made:(%l+)') or string.match(field, '^after:%d+$') or string.match(field, '^after:more$')
  if what and redis.call('HINCRBY', attempted, minute .. what, amount) == amount then
    redis.call('PEXPIREAT', attempted, (hour + 49) * 3600000)
  end
end
if failed > 0 then redis.call('HINCRBY', state, 'failed', failed) end
if retried > 0 then redis.call('HINCRBY', state, 'retried', retried) end
-- What one receiver's answer asked for is not undercut by what another asks for meanwhile.
if quiet > 0 and now + quiet > held_until then
  redis.call('SET', hold, now + quiet, 'PX', quiet)
  is.back = now + quiet
end
if ARGV[5] == '1' then redis.call('HSETNX', state, 'disabled', now) end
if failures ~= tonumber(is.failures or '0') then is.failures = failures end
for i, name in ipairs(names) do
  if is[name] == nil and was[i] then
    redis.call('HDEL', state, name)
  elseif is[name] ~= nil and is[name] ~= was[i] then
    redis.call('HSET', state, name, is[name])
  end
end
local first = redis.call('ZRANGE', lanes, 0, 0, 'WITHSCORES')
if first[2] then
  redis.call('ZADD', due, math.max(first[2], is.probe_at or 0), target)
else
  redis.call('ZREM', due, target)
end
return {failures, is.announced and math.max(held_until, now + quiet) <= now and 1 or 0, stale}
