# program: the-switch there-and-back
break there_and_back::switch
run
x/2ga *other
continue
backtrace 3
x/3ga *other
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
backtrace 3
