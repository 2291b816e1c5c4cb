# program: two-hundred-lines two-hundred-lines
set disassembly-flavor intel
set print asm-demangle on
tbreak main.rs:56
run
backtrace
set language c
set $words = (long *) thread.stack.sp
x/3a $words
x/3i $words[0]
set $rip = $words[0] + 2
set $rbp = $words[1]
set $rbx = $words[2]
set $rsp = (long) ($words + 3)
backtrace
