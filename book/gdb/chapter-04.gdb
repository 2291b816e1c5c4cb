# program: a-new-stack wake-up
set disassembly-flavor intel
set print asm-demangle on
break wake_up::switch
run
print $sp
x/2a sp
tbreak *wake_up::start
continue
print $sp
print ($sp as u64 + 8) % 16
x/a $sp
backtrace
