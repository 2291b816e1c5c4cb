# program: a-new-stack wake-up
break wake_up::switch
run
print $sp
x/2ga sp
tbreak *wake_up::start
continue
print $sp
print ($sp as u64 + 8) % 16
x/ga $sp
backtrace 3
