//! `Debug` for types that show nothing but their name.

/// `Debug` for each type, which writes its name and `{ .. }`, whether or not its parameter is
/// `Debug`.
macro_rules! opaque_debug {
    ($($name:ident $(<$($lifetime:lifetime)? $(,)? $($t:ident)?>)?),+ $(,)?) => { $(
        impl $(<$($t)?>)? core::fmt::Debug for $name $(<$($lifetime,)? $($t)?>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+ };
}

pub(crate) use opaque_debug;
