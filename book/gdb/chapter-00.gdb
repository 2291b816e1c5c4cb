# program: delay-server delay-turns
break delay_server::by_hand::Conversation::answer
run
backtrace 3
up 2
print *name
