//! For all machines without a file of their own.

compile_error!(
    "greenthread-context does not know this machine yet: it has x86-64, x86, AArch64, Arm (eabihf), RISC-V (RV64GC), \
     LoongArch64, PowerPC64LE (ELFv2) and s390x, each with the calling convention of Linux, macOS and the BSDs, and \
     x86-64 and x86 with that of Windows. A new machine is one more file in src/arch that keeps the contract in \
     src/arch/mod.rs."
);
