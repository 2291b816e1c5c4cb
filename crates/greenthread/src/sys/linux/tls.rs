//! Blocks of thread-locals beside those of the OS threads: glibc on x86-64 and AArch64.
//!
//! A thread-local's address is the *base*, which is in a register, and an offset. At the base, or
//! right below it, is glibc's record of a thread (`struct pthread`); the static thread-locals are
//! on the other side, and those of libraries that were loaded later are found through it. glibc
//! makes all of that for a new pthread, by functions of its own that it exports to the dynamic
//! loader. A block is made by these functions, and by the same steps as `pthread_create`.
//!
//! What of the record is not documented is found through the description that glibc has for
//! debuggers (`_thread_db_*`), and checked against the calling thread's own record
//! ([`Glibc::matches`]). If something is missing or different, there are no blocks, and the error
//! says why.
//!
//! In the record of a block:
//! * The canary of stack protectors, and the value that mangles saved code pointers, are those of
//!   the process.
//! * The thread's number is one that no OS thread has. It is what tells the owners of recursive
//!   and error-checking mutexes apart. What hands it to the kernel fails: `pthread_kill`, priority
//!   inheritance, scheduling parameters.
//! * The list of robust mutexes is empty, and the kernel does not know it.
//! * The record is in none of glibc's lists of threads. So `setuid` and its like hang on such a
//!   thread, and a library that is loaded later must not need the *static* thread-locals of a
//!   thread that is already there (few do).
//! * The area for restartable sequences says that it is not registered.
//!
//! A block is never freed, but kept for the next thread. glibc has thread-locals itself, above all
//! the allocator's cache, and offers nobody a function that releases them. For the next thread,
//! the thread-locals of all other modules get their initial values again; glibc's stay as they are.
//!
//! What was rejected: the blocks of parked pthreads, which glibc would know. Each costs an OS
//! thread, and its destructors would run there.
//!
//! Invariants:
//! 1. `Block::base` is an initialised record with its thread-locals, which lives as long as the
//!    process. One `Block` has it, or the pool.
//! 2. The layout in [`Glibc`] is that of the running glibc.

use core::{
    ffi::{CStr, c_int, c_void},
    mem::{self, transmute},
    ptr,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};
use std::{io, sync::OnceLock};

use super::super::fork::ForkMutex;

/// Where the running code finds its thread-locals.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base(usize);

impl Base {
    /// To be called after `machine::check`.
    fn current() -> Self {
        Self(machine::base())
    }

    /// Makes this the base of the running code.
    ///
    /// # Safety
    /// It is the base of a block that is not in use, or of the calling OS thread. The function that
    /// calls this uses no thread-local, since the compiler may keep the address of one.
    #[inline(always)]
    pub(crate) unsafe fn set(self) {
        // SAFETY: the caller vouches for the new value.
        unsafe { machine::set_base(self.0) };
    }
}

#[cfg(target_arch = "x86_64")]
mod machine {
    use core::{arch::asm, ops::Range};

    /// Whether the record is right below the base.
    pub(super) const IS_BELOW: bool = false;

    /// Words of the record that have its address.
    pub(super) const SELF: [usize; 2] = [0, 2];

    /// Words of the record that are the same for all threads: the canary and its neighbours, from
    /// the flag of several threads on.
    pub(super) const COMMON: Range<usize> = 3..9;

    /// The bit of `AT_HWCAP2` that says that programs may use `wrfsbase`.
    const HWCAP2_FSGSBASE: libc::c_ulong = 2;

    pub(super) fn check() -> Result<(), String> {
        // SAFETY: the call reads a table of the process.
        match unsafe { libc::getauxval(libc::AT_HWCAP2) } & HWCAP2_FSGSBASE {
            0 => Err("the kernel does not let programs use `wrfsbase`, as Linux does since 5.9".into()),
            _ => Ok(()),
        }
    }

    pub(super) fn base() -> usize {
        let base;
        // SAFETY: the instruction reads a register.
        unsafe { asm!("rdfsbase {}", out(reg) base, options(nomem, nostack, preserves_flags)) };
        base
    }

    /// # Safety
    /// As for `Base::set`.
    #[inline(always)]
    pub(super) unsafe fn set_base(base: usize) {
        // SAFETY: the instruction writes a register. The caller vouches for its new value.
        unsafe { asm!("wrfsbase {}", in(reg) base, options(nostack, preserves_flags)) };
    }

    /// Calls `f(data)` with another base.
    ///
    /// # Safety
    /// As for `Block::call`.
    pub(super) unsafe fn call(base: usize, f: unsafe extern "C" fn(*mut u8), data: *mut u8) {
        // SAFETY: the caller vouches for the call. `f` keeps r12, and does not unwind.
        unsafe {
            asm!(
                "rdfsbase r12",
                "wrfsbase {base}",
                "call {f}",
                "wrfsbase r12",
                base = in(reg) base,
                f = in(reg) f,
                in("rdi") data,
                out("r12") _,
                clobber_abi("C"),
            );
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod machine {
    use core::{arch::asm, ops::Range};

    /// Whether the record is right below the base.
    pub(super) const IS_BELOW: bool = true;

    /// Words of the record that have its address.
    pub(super) const SELF: [usize; 0] = [];

    /// Words of the record that are the same for all threads: the flag of several threads.
    pub(super) const COMMON: Range<usize> = 0..1;

    pub(super) fn check() -> Result<(), String> {
        Ok(())
    }

    pub(super) fn base() -> usize {
        let base;
        // SAFETY: the instruction reads a register.
        unsafe { asm!("mrs {}, tpidr_el0", out(reg) base, options(nomem, nostack, preserves_flags)) };
        base
    }

    /// # Safety
    /// As for `Base::set`.
    #[inline(always)]
    pub(super) unsafe fn set_base(base: usize) {
        // SAFETY: the instruction writes a register. The caller vouches for its new value.
        unsafe { asm!("msr tpidr_el0, {}", in(reg) base, options(nostack, preserves_flags)) };
    }

    /// Calls `f(data)` with another base.
    ///
    /// # Safety
    /// As for `Block::call`.
    pub(super) unsafe fn call(base: usize, f: unsafe extern "C" fn(*mut u8), data: *mut u8) {
        // SAFETY: the caller vouches for the call. `f` keeps x20, and does not unwind.
        unsafe {
            asm!(
                "mrs x20, tpidr_el0",
                "msr tpidr_el0, {base}",
                "blr {f}",
                "msr tpidr_el0, x20",
                base = in(reg) base,
                f = in(reg) f,
                in("x0") data,
                out("x20") _,
                clobber_abi("C"),
            );
        }
    }
}

/// The thread-locals of one green thread (invariant 1). A drop puts them into the pool.
#[derive(Debug)]
pub(crate) struct Block {
    base: Base,
}

static POOL: ForkMutex<Vec<Base>> = ForkMutex::new(Vec::new());

/// The first number of a block's thread. The kernel's numbers are at most 2^22, and a futex has
/// room for 30 bits.
const FIRST_NUMBER: u32 = 1 << 29;

/// How many keys of `pthread_key_create` are in one part of a thread's table, and how many parts
/// there are.
const KEYS: usize = 32;

/// How many times destructors of keys are called as long as there are values
/// (`PTHREAD_DESTRUCTOR_ITERATIONS`).
const ROUNDS: usize = 4;

/// The thread-local with the address of the resolver's state.
const RESOLVER: &CStr = c"__resp";

/// `LC_GLOBAL_LOCALE`.
const GLOBAL_LOCALE: libc::locale_t = ptr::without_provenance_mut(usize::MAX);

/// An entry of glibc's table of keys. The number is odd while the key is in use.
#[repr(C)]
struct Key {
    number: usize,
    destructor: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// What of glibc is used (invariant 2). The numbers are offsets in a thread's record.
struct Glibc {
    /// From the record to the base.
    base: usize,
    allocate: unsafe extern "C" fn(*mut c_void) -> *mut c_void,
    call_destructors: unsafe extern "C" fn(),
    /// Sets the calling thread's tables of characters (`isspace`).
    init_characters: unsafe extern "C" fn(),
    keys: *const Key,
    number: usize,
    list: usize,
    /// The parts of the thread's table of values; the first part is right below.
    values: usize,
    /// From the base to the area for restartable sequences, if there is one.
    sequences: Option<isize>,
    /// The state of the resolver, if it is in the record.
    resolver: Option<usize>,
}

// SAFETY: the pointers are those of functions, and of a table that is read by volatile reads only.
unsafe impl Send for Glibc {}
// SAFETY: as above.
unsafe impl Sync for Glibc {}

impl Glibc {
    fn get() -> io::Result<&'static Self> {
        static FOUND: OnceLock<Result<Glibc, String>> = OnceLock::new();
        FOUND.get_or_init(Self::find).as_ref().map_err(|missing| {
            let message = format!(
                "a green thread can't have thread-locals of its own here: {missing}; use thread::unblock for code \
                 that needs an OS thread"
            );
            io::Error::new(io::ErrorKind::Unsupported, message)
        })
    }

    fn find() -> Result<Self, String> {
        machine::check()?;
        // SAFETY: the symbols have these types in every glibc since 2.34; the layout is checked.
        let this = unsafe {
            Self {
                base: match machine::IS_BELOW {
                    true => *symbol(c"_thread_db_sizeof_pthread")?.cast::<u32>() as usize,
                    false => 0,
                },
                allocate: transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void) -> *mut c_void>(symbol(
                    c"_dl_allocate_tls",
                )?),
                call_destructors: transmute::<*mut c_void, unsafe extern "C" fn()>(symbol(
                    c"__call_tls_dtors",
                )?),
                init_characters: transmute::<*mut c_void, unsafe extern "C" fn()>(symbol(c"__ctype_init")?),
                keys: symbol(c"__pthread_keys")?.cast(),
                number: described(c"_thread_db_pthread_tid")?,
                list: described(c"_thread_db_pthread_list")?,
                values: described(c"_thread_db_pthread_specific")?,
                sequences: symbol(c"__rseq_offset").ok().map(|offset| *offset.cast::<isize>()),
                resolver: None,
            }
        };
        if this.matches() {
            Ok(Self { resolver: this.find_resolver(), ..this })
        } else {
            Err("this glibc keeps its threads' records in a way that is not known".into())
        }
    }

    /// Where in its record the calling thread has its resolver's state. The main thread has it
    /// elsewhere; if that one asks, blocks use the main thread's.
    fn find_resolver(&self) -> Option<usize> {
        // SAFETY: the symbol, if it is there, is a thread-local with an address.
        let state = unsafe { *symbol(RESOLVER).ok()?.cast::<usize>() };
        state.checked_sub(Base::current().0 - self.base).filter(|offset| *offset < 4096)
    }

    /// The word of a thread's record at this offset.
    fn word(&self, base: Base, offset: usize) -> *mut usize {
        ptr::with_exposed_provenance_mut(base.0 - self.base + offset)
    }

    /// Whether the calling thread's record is as expected.
    fn matches(&self) -> bool {
        let base = Base::current();
        let record = base.0 - self.base;
        // SAFETY: the words that are read are inside the calling thread's record, which is some
        // 2000 bytes long. The call returns a number.
        unsafe {
            let word = |offset: usize| *self.word(base, offset);
            [self.number, self.list, self.values].iter().all(|offset| *offset < 1800)
                && machine::SELF.iter().all(|index| word(8 * index) == record)
                && word(self.number) as u32 as libc::c_long == libc::syscall(libc::SYS_gettid)
                && word(self.robust() - 8) == record + self.robust()
                && word(self.robust()) == record + self.robust()
                && word(self.values) == record + self.values - KEYS * 16
        }
    }

    /// The list of robust mutexes: two words behind the number, of which the second is one more
    /// pointer to the list's end.
    fn robust(&self) -> usize {
        self.number + 16
    }

    /// Makes a block.
    fn make(&self) -> io::Result<Base> {
        static NUMBER: AtomicU32 = AtomicU32::new(FIRST_NUMBER);
        let here = Base::current();
        // SAFETY: without memory of the caller's, the function allocates it, or returns null.
        let base = Base(unsafe { (self.allocate)(ptr::null_mut()) }.expose_provenance());
        if base.0 == 0 {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let word = |offset: usize| self.word(base, offset);
        let record = word(0).addr();
        // SAFETY: the record is new, and nobody else knows it. The words are inside it (invariant
        // 2).
        unsafe {
            machine::SELF.iter().for_each(|index| *word(8 * index) = record);
            for index in machine::COMMON {
                *word(8 * index) = *self.word(here, 8 * index);
            }
            *word(self.number).cast::<u32>() = NUMBER.fetch_add(1, Relaxed);
            *word(self.list) = record + self.list;
            *word(self.list + 8) = record + self.list;
            let robust = self.robust();
            *word(robust - 8) = record + robust;
            *word(robust) = record + robust;
            *word(robust + 8) = *self.word(here, robust + 8);
            *word(self.values) = record + self.values - KEYS * 16;
            if let Some(sequences) = self.sequences {
                const NOT_REGISTERED: i32 = -2;
                let at = base.0.wrapping_add_signed(sequences);
                *ptr::with_exposed_provenance_mut::<i32>(at + 4) = NOT_REGISTERED;
            }
        }
        Ok(base)
    }
}

impl Block {
    pub(crate) fn new() -> io::Result<Self> {
        let glibc = Glibc::get()?;
        let used = POOL.lock().pop();
        if let Some(base) = used {
            // SAFETY: the block was in the pool, so it is not in use. The function uses no
            // thread-local.
            unsafe { machine::call(base.0, reset, ptr::from_ref(glibc).cast_mut().cast()) };
            return Ok(Self { base });
        }
        let base = glibc.make()?;
        // SAFETY: the block is new. The function uses no thread-local but glibc's.
        unsafe { machine::call(base.0, begin, ptr::from_ref(glibc).cast_mut().cast()) };
        Ok(Self { base })
    }

    /// The base of this block, and that of the calling thread.
    pub(crate) fn bases(&self) -> Option<(Base, Base)> {
        Some((self.base, Base::current()))
    }

    /// Calls `f(data)` with the thread-locals of this block.
    ///
    /// The compiler does not see the change: to it, the addresses of thread-locals stay the same
    /// inside a function, as they do here.
    ///
    /// # Safety
    /// `f` may be called with `data`. When it waits, it sets the base of the OS thread before it
    /// switches, and that of the block when it goes on. The block is not in use.
    pub(crate) unsafe fn call(&self, f: unsafe extern "C" fn(*mut u8), data: *mut u8) {
        // SAFETY: the caller vouches for all of it.
        unsafe { machine::call(self.base.0, f, data) };
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        POOL.lock().push(self.base);
    }
}

/// Whether there are blocks.
pub(crate) fn available() -> io::Result<()> {
    Glibc::get().map(drop)
}

/// Destroys the thread-locals of the calling thread, as at the end of a pthread, but for those of
/// glibc itself.
///
/// # Safety
/// The base of a block is set, and its thread is at its end.
pub(crate) unsafe fn destroy() {
    let Ok(glibc) = Glibc::get() else { return };
    // SAFETY: the caller vouches that a thread with a block is at its end. The keys and values are
    // where `glibc` says (invariant 2).
    unsafe {
        (glibc.call_destructors)();
        for round in 0..=ROUNDS {
            if !destroy_values(glibc, round < ROUNDS) {
                break;
            }
        }
        libc::uselocale(GLOBAL_LOCALE);
    }
}

/// Takes all values of keys, and if `calls`, calls their destructors. Returns whether there were
/// values.
///
/// # Safety
/// As for [`destroy`].
unsafe fn destroy_values(glibc: &Glibc, calls: bool) -> bool {
    let mut found = false;
    let parts = glibc.word(Base::current(), glibc.values).cast::<*const u8>();
    for part in 0..KEYS {
        // SAFETY: these are the calling thread's own values, and the table of keys has an entry for
        // each. Other threads may write to that, as glibc expects of its own code.
        unsafe {
            if (*parts.add(part)).is_null() {
                continue;
            }
            for index in part * KEYS..(part + 1) * KEYS {
                let key = glibc.keys.add(index).read_volatile();
                if key.number % 2 == 0 {
                    continue;
                }
                let value = libc::pthread_getspecific(index as libc::pthread_key_t);
                if value.is_null() {
                    continue;
                }
                found = true;
                libc::pthread_setspecific(index as libc::pthread_key_t, ptr::null());
                if let Some(destructor) = key.destructor.filter(|_| calls) {
                    destructor(value);
                }
            }
        }
    }
    found
}

/// Sets what of glibc's own thread-locals a pthread sets when it begins.
unsafe extern "C" fn begin(glibc: *mut u8) {
    // SAFETY: `glibc` is what `Block::new` passes on. A symbol of a thread-local is the address of
    // the calling thread's own.
    unsafe {
        let glibc = &*glibc.cast::<Glibc>();
        (glibc.init_characters)();
        if let (Ok(place), Some(offset)) = (symbol(RESOLVER), glibc.resolver) {
            *place.cast::<*mut usize>() = glibc.word(Base::current(), offset);
        }
    }
}

/// Gives the thread-locals of all modules but glibc's their initial values.
unsafe extern "C" fn reset(glibc: *mut u8) {
    // SAFETY: `glibc` is what `Block::new` passes on. The function calls `reset_module` for each
    // module, and keeps nothing.
    unsafe { libc::dl_iterate_phdr(Some(reset_module), glibc.cast()) };
}

unsafe extern "C" fn reset_module(info: *mut libc::dl_phdr_info, _: usize, glibc: *mut c_void) -> c_int {
    // SAFETY: the loader passes a module's description and headers, which are valid during this
    // call. `dlpi_tls_data` is null, or the address of the module's thread-locals in the block
    // whose base is set. Nobody uses these.
    unsafe {
        let (info, glibc) = (&*info, &*glibc.cast::<Glibc>());
        let address = info.dlpi_addr as usize;
        let headers = core::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum));
        let has = |function: usize| {
            headers.iter().any(|header| {
                header.p_type == libc::PT_LOAD
                    && function.wrapping_sub(address + header.p_vaddr as usize) < header.p_memsz as usize
            })
        };
        let is_glibc = has(glibc.allocate as usize) || has(glibc.call_destructors as usize);
        let image = headers.iter().find(|header| header.p_type == libc::PT_TLS);
        if let Some(image) = image
            && !is_glibc
            && !info.dlpi_tls_data.is_null()
        {
            let (data, len) = (info.dlpi_tls_data.cast::<u8>(), image.p_filesz as usize);
            let from = ptr::with_exposed_provenance::<u8>(address + image.p_vaddr as usize);
            data.copy_from_nonoverlapping(from, len);
            data.add(len).write_bytes(0, image.p_memsz as usize - len);
        }
    }
    0
}

pub(crate) fn before_fork() {
    POOL.before_fork();
}

/// # Safety
/// The calling thread has called `before_fork`.
pub(crate) unsafe fn after_fork() {
    // SAFETY: the caller vouches for that.
    unsafe { POOL.after_fork() };
}

fn symbol(name: &CStr) -> Result<*mut c_void, String> {
    // SAFETY: the name ends with a zero.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if symbol.is_null() {
        return Err(format!("this C library has no `{}`, or is linked statically", name.to_string_lossy()));
    }
    Ok(symbol)
}

/// The offset of a field, from its description: its size in bits, the number of elements, the
/// offset.
fn described(name: &CStr) -> Result<usize, String> {
    // SAFETY: each description is an array of three such numbers, since they exist.
    let [_, _, offset] = unsafe { *symbol(name)?.cast::<[u32; 3]>() };
    Ok(offset as usize)
}

const _: () = assert!(mem::size_of::<Key>() == 16);
