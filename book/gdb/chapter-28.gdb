# program: both-roads nested
set print max-depth 4
tbreak both-roads/src/lib.rs:122
run
backtrace 5
up 4
set $future = main.pointer
print $future
tbreak thread.rs:96
continue
tbreak thread.rs:96
continue
backtrace 3
print *$future
set language c
set $words = *(long **) &thread.ptr.pointer.value.context
set $rip = $words[0] + 2
set $rbp = $words[1]
set $rbx = $words[2]
set $rsp = (long) ($words + 3)
set language rust
backtrace 6
