def dive(depth)
  depth == 0 ? 0 : 1 + dive(depth - 1)
end

def try(depth)
  puts "came back from #{dive(depth)}"
rescue SystemStackError => error
  puts "rescued: #{error.message}"
end

def resident
  File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i
end

case ARGV[0]
when "deep" then Fiber.new { try(1_000_000) }.resume
when "endless" then Fiber.new { try(-1) }.resume
when "busy"
  busy = Fiber.new { loop {} }
  other = Fiber.new { puts "another had its turn" }
  busy.resume
  other.resume
when "fail"
  begin
    Fiber.new { raise "bad news" }.resume
  rescue => error
    puts "the one who resumed it hears: #{error.message}"
  end
  Fiber.new { puts "another goes on" }.resume
when "lonely" then Queue.new.pop
when "will"
  Fiber.new do
    Fiber.yield
  ensure
    puts "the will is read"
  end.resume
  puts "the end"
when "mine"
  fibers = %w[one two].map do |name|
    Fiber.new do
      Thread.current[:mine] = name
      Fiber.yield
      puts "#{name} finds #{Thread.current[:mine]}"
    end
  end
  2.times { fibers.each(&:resume) }
when "idle"
  before = resident
  fibers = Array.new(10_000) { Fiber.new { Fiber.yield }.tap(&:resume) }
  puts "#{((resident - before) / 10_000.0).round(1)} KiB each"
end
