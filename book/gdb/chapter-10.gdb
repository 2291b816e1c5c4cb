# program: panics walk
break walk::inner
run
bt 2
bt -2
up 100
info frame
