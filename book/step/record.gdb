# program: two-hundred-lines two-hundred-lines
#
# Walks through three switches of the program, instruction by instruction, and prints all that the page shows.
# `cargo xtask step --record` runs it and writes recording.txt.
set trace-commands off
break *two_hundred_lines::switch
run
set language c

# What is to be seen before an instruction: the registers, the words of both stacks, and the place that keeps
# the pointer to the stack that was left.
define state
    printf "STATE\n"
    x/i $pc
    printf "registers %#lx %#lx %#lx %#lx %#lx ", $rip, $rsp, $rbp, $rbx, $rax
    printf "%#lx %#lx %#lx %#lx %#lx\n", $rdi, $r12, $r13, $r14, $r15
    printf "kept\n"
    x/1ga $kept
    printf "run\n"
    x/9ga $run
    printf "one\n"
    x/9ga $one
end

# So many instructions.
define scene
    printf "SCENE %s\n", $arg0
    set $left = $arg1
    state
    while $left > 0
        stepi
        state
        set $left = $left - 1
    end
end

# `run` gives thread one its first turn. A switch pushes eight words below the address that it returns to.
set $kept = (unsigned long *) $rdi
set $run = (unsigned long *) $rsp - 8
set $one = (unsigned long *) *$kept - 3
scene "first" 14

# Thread one gives its turn back.
continue
set $one = (unsigned long *) $rsp - 8
scene "back" 22

# Thread two has its first turn, and gives it back. Then thread one goes on.
continue
continue
continue
set $kept = (unsigned long *) $rdi
scene "again" 22
