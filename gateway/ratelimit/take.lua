-- Decides about the charges of one request as gcra.go does: a charge for each key, in groups, of which
-- each passes as a whole or not at all. ARGV has five values for each key: the group, the quantity of the
-- limit, its period in microseconds, its burst, and how much is charged. The reply has three values for
-- each key: whether it passes by this limit, how much of the burst is used, and the microseconds until all
-- of the burst may pass again. It ends after the group 0 if that is refused.
--
-- The value of a key is "START USED": when the run began, in microseconds, and how much has passed in it.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local reply = {}
local first = 1
while first <= #KEYS do
  local group = ARGV[5 * first - 4]
  local last = first
  while last < #KEYS and ARGV[5 * last + 1] == group do
    last = last + 1
  end
  local runs, passes = {}, true
  for k = first, last do
    local burst = tonumber(ARGV[5 * k - 1])
    local run = {start = now, used = 0, interval = tonumber(ARGV[5 * k - 2]) / tonumber(ARGV[5 * k - 3])}
    run.soon = burst * run.interval / 10
    local start, used = string.match(redis.call('GET', KEYS[k]) or '', '^(%d+) (%d+)$')
    if start then
      run.start, run.used = math.min(tonumber(start), now), tonumber(used)
      local over = run.start + run.used * run.interval
      if over <= now then
        run.start, run.used = now - over <= run.soon and over or now, 0
      end
    end
    run.passes = tonumber(ARGV[5 * k]) <= burst - run.used
    runs[k], passes = run, passes and run.passes
  end
  for k = first, last do
    local run = runs[k]
    if passes then
      run.used = run.used + tonumber(ARGV[5 * k])
    end
    local wait = math.max(math.ceil(run.start + run.used * run.interval - now), 0)
    local keep = math.ceil((wait + run.soon) / 1000)
    if passes and keep > 0 and run.used > 0 then
      redis.call('SET', KEYS[k], string.format('%.0f %.0f', run.start, run.used), 'PX', keep)
    end
    reply[#reply + 1] = run.passes and 1 or 0
    reply[#reply + 1] = run.used
    reply[#reply + 1] = wait
  end
  if not passes and group == '0' then
    break
  end
  first = last + 1
end
return reply
