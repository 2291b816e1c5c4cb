# program: panics walk on aarch64
set language c
tbreak *((char *)&begin + 4)
continue
x/4ga $x10
p/x $sp
x/4i $pc
tbreak walk::inner
continue
p/x $sp
p (long)$sp % 16
set language auto
bt 2
bt -2
