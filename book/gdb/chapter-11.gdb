# program: windows notes on windows
break notes.rs:10
continue
set $block = block
x/3gx $block
p/x $rsp
break notes::on_our_stack
continue
x/3gx $block
p/x $rsp
