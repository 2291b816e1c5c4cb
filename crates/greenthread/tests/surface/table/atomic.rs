// Made by docs.rs from the documentation of std 1.95; not edited by hand.

// enum sync::atomic::Ordering
same! { [] sync::atomic::Ordering = std::sync::atomic::Ordering }

// fn sync::atomic::compiler_fence
item! { fn compiler_fence(order: std::sync::atomic::Ordering) { sync::atomic::compiler_fence(order) } }

// fn sync::atomic::fence
item! { fn fence(order: std::sync::atomic::Ordering) { sync::atomic::fence(order) } }

// fn sync::atomic::spin_loop_hint
item! { fn spin_loop_hint() { sync::atomic::spin_loop_hint() } }

// struct sync::atomic::AtomicI16
same! { [] sync::atomic::AtomicI16 = std::sync::atomic::AtomicI16 }

// struct sync::atomic::AtomicI32
same! { [] sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32 }

// struct sync::atomic::AtomicI64
same! { [] sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64 }

// struct sync::atomic::AtomicI8
same! { [] sync::atomic::AtomicI8 = std::sync::atomic::AtomicI8 }

// struct sync::atomic::AtomicIsize
same! { [] sync::atomic::AtomicIsize = std::sync::atomic::AtomicIsize }

// struct sync::atomic::AtomicU16
same! { [] sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16 }

// struct sync::atomic::AtomicU32
same! { [] sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32 }

// struct sync::atomic::AtomicU64
same! { [] sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64 }

// struct sync::atomic::AtomicU8
same! { [] sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8 }

// struct sync::atomic::AtomicUsize
same! { [] sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize }
