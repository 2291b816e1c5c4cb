dive(depth) = depth == 0 ? 0 : 1 + dive(depth - 1)

function try_it(depth)
    try
        println("came back from ", dive(depth))
    catch error
        println("caught: ", typeof(error))
    end
end

function mine(name)
    task_local_storage("mine", name)
    yield()
    println(name, " finds ", task_local_storage("mine"))
end

function resident()
    status = read("/proc/self/status", String)
    parse(Int, match(r"VmRSS:\s+(\d+)", status)[1])
end

what = ARGS[1]
if what == "deep"
    wait(@async try_it(1_000_000))
elseif what == "endless"
    wait(@async try_it(-1))
elseif what == "busy"
    @async while true end
    sleep(0.1)
    println("another had its turn")
elseif what == "fail"
    failed = @async error("bad news")
    sleep(0.1)
    println("another goes on")
    try
        wait(failed)
    catch error
        println("the one who waits hears: ", typeof(error))
    end
elseif what == "lonely"
    take!(Channel(0))
elseif what == "will"
    @async try
        wait(Condition())
    finally
        println("the will is read")
    end
    yield()
    println("the end")
elseif what == "mine"
    @sync for name in ["one", "two"]
        @async mine(name)
    end
elseif what == "idle"
    before = resident()
    idle = [@async sleep(10) for _ in 1:10_000]
    sleep(1)
    println(round((resident() - before) / 10_000, digits = 1), " KiB each")
end
