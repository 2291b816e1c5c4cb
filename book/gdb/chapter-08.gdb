# program: a-safe-face sums
break sums::sum
run
p last
p $rsp
continue
p last
p $rsp
bt 1
bt -2
