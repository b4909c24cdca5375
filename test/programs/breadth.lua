-- What ordinary Lua programs ask of the kernel.
local file = assert(io.open('tmp/one', 'w+'))
file:setvbuf('full')
for i = 1, 10000 do file:write(i, '\n') end
file:seek('set')
local sum = 0
for line in file:lines() do sum = sum + tonumber(line) end
file:close()
print('files', sum, os.rename('tmp/one', 'tmp/two'), os.remove('tmp/two'))
local produce = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)
print('coroutine', produce(), produce(), produce())
local parts = {}
for i = 1, 200000 do parts[#parts + 1] = tostring(i) end
print('memory', #table.concat(parts), collectgarbage('count') > 0, collectgarbage())
print('time', os.time() > 0, os.clock() >= 0, os.getenv('PATH') ~= nil or 'no PATH')
