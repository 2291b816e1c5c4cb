# program: ways-to-break-it misaligned
run
x/i $rip
p $rdi % 16
bt 2
bt -1
