# program: stacks-that-fail-loudly loud
set print frame-arguments none
break stacks_that_fail_loudly::overflow::handle
run
p/x $_siginfo._sifields._sigfault.si_addr
p/x $rsp
x/i $rip
continue
p/x $rsp
bt 4
