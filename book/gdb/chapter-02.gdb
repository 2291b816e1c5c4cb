# program: the-machine calls
set disassembly-flavor intel
set print asm-demangle on
break *calls::add
run
print $rdi
print $rsi
x/a $rsp
print ($rsp as u64 + 8) % 16
backtrace
tbreak *calls::pick
continue
x/4i $pc
finish
print $rax
