-- One exchange of a process's leases, atomic.
--
-- KEYS: the locks that it gives back, then those that it wants to take or keep.
-- ARGV: its owner token, ttl_ms, handover_ms, how many of KEYS are given back.
-- Answers one number for each lock wanted: -1 it is yours, -2 it is yours and others wait
-- for it, else the milliseconds that its holder's lease still lasts (you are in the queue).
--
-- A lock's key holds its owner's token; `<key>:queue` lists the owners that wait for it, the
-- first to come first. Each owner listens on `wallet-locks:<token>` and is told the key of a
-- lock that others want from it, or that it was handed.

local owner, ttl_ms, handover_ms = ARGV[1], ARGV[2], ARGV[3]
local given_back = tonumber(ARGV[4])

local function tell(other, key)
  return redis.call('PUBLISH', 'wallet-locks:' .. other, key)
end

local function give_back(key)
  local queue = key .. ':queue'
  if redis.call('GET', key) ~= owner then
    redis.call('LREM', queue, 0, owner)
    return
  end
  local heir = redis.call('LPOP', queue)
  while heir do
    -- Where nobody listens the process has died: the next one is asked.
    if tell(heir, key) > 0 then
      redis.call('SET', key, heir, 'PX', handover_ms)
      return
    end
    heir = redis.call('LPOP', queue)
  end
  redis.call('DEL', key)
end

local function wait_for(key, holder)
  local queue = key .. ':queue'
  if not redis.call('LPOS', queue, owner) then
    redis.call('RPUSH', queue, owner)
  end
  redis.call('PEXPIRE', queue, ttl_ms)
  tell(holder, key)
  return math.max(redis.call('PTTL', key), 0)
end

local function take(key)
  local holder = redis.call('GET', key)
  if holder and holder ~= owner then
    return wait_for(key, holder)
  end
  redis.call('SET', key, owner, 'PX', ttl_ms)
  local queue = key .. ':queue'
  if redis.call('EXISTS', queue) == 0 then
    return -1
  end
  redis.call('LREM', queue, 0, owner)
  return redis.call('EXISTS', queue) == 0 and -1 or -2
end

local answers = {}
for position, key in ipairs(KEYS) do
  if position <= given_back then
    give_back(key)
  else
    answers[#answers + 1] = take(key)
  end
end
return answers
