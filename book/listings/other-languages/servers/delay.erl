-module(delay).
-export([main/1]).

main([Port]) ->
    Options = [list, {packet, line}, {active, false}, {backlog, 1024}, {ip, {127, 0, 0, 1}}],
    {ok, Listener} = gen_tcp:listen(list_to_integer(Port), Options),
    spawn(fun() -> listen(Listener) end),
    timer:sleep(infinity). % the listener is this process's, and is closed when it ends

%% A socket belongs to the process that has accepted it. So this process talks, and another listens.
listen(Listener) ->
    {ok, Conversation} = gen_tcp:accept(Listener),
    spawn(fun() -> listen(Listener) end),
    talk(Conversation).

talk(Conversation) ->
    {ok, Line} = gen_tcp:recv(Conversation, 0),
    Ms = list_to_integer(string:trim(Line)),
    timer:sleep(Ms),
    ok = gen_tcp:send(Conversation, io_lib:format("done after ~b ms~n", [Ms])),
    gen_tcp:close(Conversation).
