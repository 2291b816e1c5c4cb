# program: other-languages moved-stack
break moved_stack::look
run
p *count == *pointer
up
p &count
p pointer
x/3ga $rsp
