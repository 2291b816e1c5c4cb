# program: two-loops by-hand
break by_hand::Count::turn
run
continue
continue
print *self
backtrace 3
