# program: inline-assembly add
set disassembly-flavor intel
set print asm-demangle on
break add::add
run
disassemble
print $rax
print $rsi
stepi
print $rax
