# program: two-hundred-lines two-hundred-lines
tbreak main.rs:56
run
backtrace 2
print thread.stack.sp
x/3ga thread.stack.sp
set language c
set $words = (long *) thread.stack.sp
set $rip = $words[0] + 2
set $rbp = $words[1]
set $rbx = $words[2]
set $rsp = (long) ($words + 3)
set language rust
backtrace
