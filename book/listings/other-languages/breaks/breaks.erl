-module(breaks).
-export([main/1]).

dive(0) -> 0;
dive(Depth) -> 1 + dive(Depth - 1).

main([What]) ->
    logger:set_primary_config(level, critical),
    tell(What),
    halt().

tell("deep") ->
    wait(spawn(fun() -> io:format("came back from ~b~n", [dive(1000000)]) end));
tell("endless") ->
    %% Without the limit, it would be the memory of the machine.
    Limit = #{size => 10000000, error_logger => false},
    wait(spawn_opt(fun() -> dive(-1) end, [{max_heap_size, Limit}]));
tell("busy") ->
    spawn(fun Busy() -> Busy() end),
    timer:sleep(100),
    io:format("another had its turn~n");
tell("fail") ->
    wait(spawn(fun() -> error("bad news") end)),
    io:format("another goes on~n");
tell("lonely") ->
    receive nothing -> ok end;
tell("will") ->
    spawn(fun() -> try timer:sleep(infinity) after io:format("the will is read~n") end end),
    timer:sleep(100),
    io:format("the end~n");
tell("mine") ->
    [wait(spawn(fun() -> keep(Name) end)) || Name <- [one, two]];
tell("idle") ->
    Before = resident(),
    [spawn(fun() -> timer:sleep(infinity) end) || _ <- lists:seq(1, 10000)],
    timer:sleep(1000),
    io:format("~.1f KiB each~n", [(resident() - Before) / 10000]).

keep(Name) ->
    put(mine, Name),
    erlang:yield(),
    io:format("~p finds ~p~n", [Name, get(mine)]).

resident() ->
    {ok, Status} = file:read_file("/proc/self/status"),
    {match, [Kib]} = re:run(Status, "VmRSS:\\s+(\\d+)", [{capture, [1], list}]),
    list_to_integer(Kib).

wait(Process) ->
    Watch = monitor(process, Process),
    receive
        {'DOWN', Watch, process, Process, normal} -> ok;
        {'DOWN', Watch, process, Process, Why} ->
            io:format("the one who watches hears: ~P~n", [Why, 4])
    end.
