require "socket"

# What the interface asks for, and no more. The five methods before `close` are called by Ruby.
class Scheduler
  def initialize
    @waiting = {} # fiber => [what it waits for, until when]
    @woken = Queue.new
  end

  def fiber(&work)
    Fiber.new(blocking: false, &work).tap(&:resume)
  end

  def io_wait(io, events, timeout)
    wait([io, events], timeout)
  end

  def kernel_sleep(seconds = nil)
    wait(nil, seconds)
  end

  def block(_what, timeout = nil)
    wait(nil, timeout)
  end

  def unblock(_what, fiber)
    @woken << fiber # perhaps from another thread, which has to wait for a turn of the loop
  end

  # The main program has ended: from here on it is all turns.
  def close
    turn until @waiting.empty?
  end

  private

  def wait(event, seconds)
    @waiting[Fiber.current] = [event, seconds && now + seconds]
    Fiber.yield
  end

  def turn
    readers, writers, pause = {}, {}, 0.1
    @waiting.each do |fiber, ((io, events), time)|
      readers[io] = fiber if io && events & IO::READABLE != 0
      writers[io] = fiber if io && events & IO::WRITABLE != 0
      pause = [pause, time - now].min if time
    end
    readable, writable = IO.select(readers.keys, writers.keys, [], [pause, 0].max)
    readable&.each { |io| wake(readers[io], IO::READABLE) }
    writable&.each { |io| wake(writers[io], IO::WRITABLE) }
    wake(@woken.pop, true) until @woken.empty?
    late = @waiting.select { |_, (_, time)| time && time <= now }
    late.each_key { |fiber| wake(fiber, false) }
  end

  def wake(fiber, answer)
    fiber.resume(answer) if @waiting.delete(fiber)
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end
end

def talk(conversation)
  ms = conversation.gets.to_i
  sleep(ms / 1000.0)
  conversation.puts("done after #{ms} ms")
ensure
  conversation.close
end

Fiber.set_scheduler(Scheduler.new)
Fiber.schedule do
  listener = TCPServer.new("127.0.0.1", ARGV[0].to_i)
  loop do
    conversation = listener.accept
    Fiber.schedule { talk(conversation) }
  end
end
