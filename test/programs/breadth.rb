# What ordinary Ruby programs ask of the kernel.
require 'digest'
require 'fileutils'
require 'json'
require 'monitor'
require 'securerandom'
require 'socket'
require 'tempfile'
require 'timeout'

queue = Queue.new
threads = 4.times.map { |n| Thread.new { 10.times { |i| queue << n * i } } }
threads.each(&:join)
puts "threads #{queue.size}"
reading, writing = IO.pipe
child = fork { reading.close; writing.write('from a child'); writing.close; exit!(3) }
writing.close
puts "fork #{reading.read} #{Process.wait2(child)[1].exitstatus}"
Dir.mktmpdir('ruby', 'tmp') do |folder|
  File.write("#{folder}/one", 'text' * 100)
  FileUtils.cp("#{folder}/one", "#{folder}/two")
  File.open("#{folder}/two", 'r+') { |file| file.flock(File::LOCK_EX); file.truncate(3); file.fsync }
  puts "files #{File.size("#{folder}/two")} #{Dir.children(folder).sort.join(',')}"
  server = UNIXServer.new("#{folder}/socket")
  client = UNIXSocket.new("#{folder}/socket")
  client.puts('over a socket')
  puts "socket #{server.accept.gets} #{IO.select([client], nil, nil, 0.001).inspect}"
end
a, b = UNIXSocket.pair
a.write_nonblock('pair')
puts "pair #{b.recv_nonblock(10)}"
begin
  Timeout.timeout(0.01) { sleep }
rescue Timeout::Error => error
  puts "timeout #{error.class}"
end
trap('USR1') { puts 'signal' }
Process.kill('USR1', Process.pid)
sleep 0.01
fiber = Fiber.new { Fiber.yield 1; 2 }
puts "fiber #{fiber.resume} #{fiber.resume} #{SecureRandom.hex(4).size} #{Digest::SHA256.hexdigest('x')[0, 8]}"
GC.start
GC.compact if GC.respond_to?(:compact)
Process.setrlimit(Process::RLIMIT_NOFILE, 64)
puts JSON.generate('memory' => Array.new(300_000) { |n| n.to_s }.size, 'ractor' => $stdout.tty?)
