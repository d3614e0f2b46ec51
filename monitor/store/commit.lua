-- Changed items of one source: digest, document, counts, deadlines, history and events, all or nothing per item.
-- KEYS lease items docs gone counts missing deadlines events open pages dictionaries, and the beginning of inside
-- ARGV fence prefix now_ms event_ttl_ms history_ttl_ms history_max dictionary page_key page item_count, then per item:
--      id expected value document expected_by_narrow_walks(1|0), and eight counted lists:
--      deadlines to disarm | score, member to arm | field, delta of counts | missing to clear
--      | field, value of missing to note (kept when noted before) | id, type, body, history key, history entry of events
--      | part, field of what lies inside from now on | the same of what does not any more
--      value ends with the document and is empty when the item is removed; only then there is a document apart.
--      dictionary is needed to read the documents; it may be empty.
--      page_key is empty when nothing is to be remembered of a page, page when what is remembered is to be forgotten.
-- Returns the ids whose stored digest was not the expected one; nothing of those was written, and their page is forgotten.
-- Returns nil, and has written nothing, when the dictionary is not in the store.
-- First everything is read and gathered, then written, one call a structure: a call from a script costs more than its work.
local HEAD = 20
local lease, items, docs, gone, counts, missing, deadlines, events, open = unpack(KEYS)
local fence, prefix, now = ARGV[1], ARGV[2], ARGV[3]
local event_ttl, history_ttl, history_max = ARGV[4], ARGV[5], tonumber(ARGV[6])
if fence ~= '' and redis.call('GET', lease) ~= fence then
  return redis.error_reply('FENCED the lease of this scan is lost')
end
if ARGV[7] ~= '' and redis.call('HEXISTS', KEYS[11], ARGV[7]) == 0 then return false end
local at = 11
local function remember_page(whole)
  local page, value = ARGV[8], ARGV[9]
  if page == '' then return end
  if whole and value ~= '' then redis.call('HSET', KEYS[10], page, value) else redis.call('HDEL', KEYS[10], page) end
end
local function gather(into)
  local size = tonumber(ARGV[at])
  for i = at + 1, at + size do into[#into + 1] = ARGV[i] end
  at = at + size + 1
end
local function skip() at = at + 1 + tonumber(ARGV[at]) end
local function write(command, key, words)
  -- In parts: Lua hands over some thousand words at once at the most.
  for i = 1, #words, 1000 do redis.call(command, key, unpack(words, i, math.min(i + 999, #words))) end
end

local starts, ids = {}, {}
for i = 1, tonumber(ARGV[10]) do
  starts[i], ids[i] = at, ARGV[at]
  at = at + 5
  for _ = 1, 8 do skip() end
end
if #ids == 0 then
  remember_page(true)
  return {}
end
local stored = redis.call('HMGET', items, unpack(ids))
local conflicts, written, values, removed, fresh, apart, leave, left = {}, {}, {}, {}, {}, {}, {}, {}
local walked, unwalked, disarm, arm, deltas, clear, note, facts = {}, {}, {}, {}, {}, {}, {}, {}
for i, id in ipairs(ids) do
  local expected, value = ARGV[starts[i] + 1], ARGV[starts[i] + 2]
  local before = stored[i] or ''
  if string.sub(before, 1, HEAD) ~= expected or written[id] then
    conflicts[#conflicts + 1] = id
  else
    written[id] = true
    if value == '' then
      left[#left + 1] = id
      leave[#leave + 1] = now
      leave[#leave + 1] = id
      removed[#removed + 1] = id
      removed[#removed + 1] = ARGV[starts[i] + 3]
    else
      values[#values + 1] = id
      values[#values + 1] = value
      if expected == '' then fresh[#fresh + 1] = id end
      -- The document of an item that was away, or that was stored before documents moved into the value.
      if #before <= HEAD then apart[#apart + 1] = id end
    end
    local shown = ARGV[starts[i] + 4] == '1' and walked or unwalked
    shown[#shown + 1] = id
    at = starts[i] + 5
    gather(disarm)
    gather(arm)
    local moved = {}
    gather(moved)
    for j = 1, #moved, 2 do deltas[moved[j]] = (deltas[moved[j]] or 0) + moved[j + 1] end
    gather(clear)
    gather(note)
    gather(facts)
    local come, went = {}, {}
    gather(come)
    gather(went)
    for j = 1, #come, 2 do redis.call('HSET', KEYS[12] .. come[j], come[j + 1], id) end
    for j = 1, #went, 2 do redis.call('HDEL', KEYS[12] .. went[j], went[j + 1]) end
  end
end

remember_page(#conflicts == 0)
write('HSET', items, values)
write('HDEL', items, left)
write('ZADD', gone, leave)
write('ZREM', gone, fresh)
write('HSET', docs, removed)
write('HDEL', docs, apart)
write('SADD', open, walked)
write('SREM', open, unwalked)
write('ZREM', deadlines, disarm)
write('ZADD', deadlines, arm)
if #arm > 0 then
  -- A rung that passed before anybody knew of it has waited since now, not since then; by this clock, whoever commits.
  local time = redis.call('TIME')
  local at, first = time[1] * 1000 + math.floor(time[2] / 1000), math.huge
  for i = 1, #arm, 2 do first = math.min(first, tonumber(arm[i])) end
  if first <= at then redis.call('SET', prefix .. ':armed', at, 'PX', 60000) end
end
for field, delta in pairs(deltas) do
  if delta ~= 0 then redis.call('HINCRBY', counts, field, delta) end
end
write('HDEL', missing, clear)
for i = 1, #note, 2 do redis.call('HSETNX', missing, note[i], note[i + 1]) end
for i = 1, #facts, 5 do
  local where = prefix .. ':event:' .. facts[i]
  if redis.call('EXISTS', where) == 0 then
    local id = redis.call('XADD', events, '*', 'id', facts[i], 'type', facts[i + 1], 'body', facts[i + 2])
    redis.call('SET', where, id, 'PX', event_ttl)
    if redis.call('LPUSH', facts[i + 3], facts[i + 4]) > history_max then
      redis.call('LTRIM', facts[i + 3], 0, history_max - 1)
    end
    redis.call('PEXPIRE', facts[i + 3], history_ttl)
  end
end
return conflicts
