# program: the-machine calls
set print frame-arguments none
break *calls::add
run
print $rdi
print $rsi
x/ga $rsp
print ($rsp as u64 + 8) % 16
backtrace 3
tbreak *calls::pick
continue
x/4i $pc
finish
print $rax
