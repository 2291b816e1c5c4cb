# program: generators polled
tbreak polled.rs:27
run
print *table.pointer
tbreak generators::cell
continue
backtrace 3
tbreak polled.rs:29
continue
backtrace 1
print *table.pointer
tbreak polled.rs:29
continue
print *table.pointer
tbreak polled.rs:31
continue
print *table.pointer
