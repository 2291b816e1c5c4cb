# program: the-switch there-and-back
set disassembly-flavor intel
set print asm-demangle on
break there_and_back::switch
run
x/2a *other
continue
backtrace
x/3a *other
x/10i $pc
print $rsp
stepi 6
print $rsp
stepi
print $rsp
x/2i $pc
stepi
x/3i $pc
stepi 2
backtrace
