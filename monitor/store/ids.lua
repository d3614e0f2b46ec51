-- Some fields of a hash without their values. KEYS hash; ARGV cursor count. Returns {next cursor, fields}.
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local fields = {}
for i = 1, #found[2], 2 do fields[#fields + 1] = found[2][i] end
return {found[1], fields}
