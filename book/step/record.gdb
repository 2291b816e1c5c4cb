# program: the-switch there-and-back
#
# Walks through three switches of the program, instruction by instruction, and prints all that the page shows.
# `cargo xtask step --record` runs it and writes recording.txt.
set trace-commands off
break *there_and_back::switch
run
set language c

# What is to be seen before an instruction: the line of the source, the registers, the words of both stacks, and the place
# that keeps the pointer to the stack that was left.
define state
    printf "STATE\n"
    info line *$pc
    x/i $pc
    printf "registers %#lx %#lx %#lx %#lx %#lx ", $rip, $rsp, $rbp, $rbx, $rax
    printf "%#lx %#lx %#lx %#lx %#lx\n", $rdi, $r12, $r13, $r14, $r15
    printf "kept\n"
    x/1ga $kept
    printf "main\n"
    x/9ga $main
    printf "start\n"
    x/9ga $start
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

# `main` switches to `start` for the first time. A switch pushes eight words below the address that it returns to. The new
# stack has two words, which are the highest of the nine.
set $kept = (unsigned long *) $rdi
set $main = (unsigned long *) $rsp - 8
set $start = (unsigned long *) *$kept - 7
scene "first" 14

# `start` gives the turn back.
continue
set $start = (unsigned long *) $rsp - 8
scene "back" 22

# `main` switches to `start` again.
continue
set $main = (unsigned long *) $rsp - 8
scene "again" 22
