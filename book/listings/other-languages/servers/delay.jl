using Sockets

function talk(conversation)
    ms = parse(Int, readline(conversation))
    sleep(ms / 1000)
    println(conversation, "done after $ms ms")
    close(conversation)
end

listener = listen(ip"127.0.0.1", parse(Int, ARGS[1]); backlog = 1024)
while true
    conversation = accept(listener)
    @async talk(conversation)
end
