# program: inline-assembly add
break add::add
run
disassemble
print $rax
print $rsi
stepi
print $rax
