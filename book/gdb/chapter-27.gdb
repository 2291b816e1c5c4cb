# program: pinned swapped
tbreak swapped.rs:14
run
print claims[0]
print &claims[0].owner
print claims[1]
print &claims[1].owner
next
print claims[0]
print claims[1]
