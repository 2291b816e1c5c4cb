//! Everything stable in std's modules, by name and by signature. It is compiled once with std and
//! once with the library.
//!
//! The table is in `table/`, with a file for each module. It is only compiled: what is missing, or
//! differs from what std's documentation says, is a compile error. The test `surface_table` makes
//! the table from that documentation, and fails if an item is missing. The crate documentation
//! lists what the library leaves out, with reasons, under "What std has that this hasn't". These
//! entries are expanded with std only.

#![cfg(target_os = "linux")]
#![allow(dead_code, deprecated, unused_imports, reason = "a table, not a program")]
#![allow(
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "the signatures are std's, and nothing is called"
)]

/// A function with the signature that std's documentation gives, which calls the one that it
/// describes; or a constant.
macro_rules! item {
    ($check:item) => {
        const _: () = { $check };
    };
}

/// A type implements a trait: `[generics] [conditions] type: trait`.
macro_rules! implements {
    ([$($generics:tt)*] [$($conditions:tt)*] $ty:ty: $($trait:tt)+) => {
        const _: () = {
            fn claim<$($generics)*>(_: &$ty) where $($conditions)* $ty: $($trait)+ {}
            fn check<$($generics)*>(it: &$ty) where $($conditions)* {
                claim(it);
            }
        };
    };
    ($($claim:tt)+) => {
        implements! { [] [] $($claim)+ }
    };
}

/// A type doesn't implement a trait. If it did, `some` would be ambiguous.
macro_rules! lacks {
    ($ty:ty: $trait:path) => {
        const _: () = {
            trait Some<A> {
                fn some() {}
            }
            struct Implements;
            impl<T: ?Sized> Some<()> for T {}
            impl<T: ?Sized + $trait> Some<Implements> for T {}
            fn check() {
                <$ty as Some<_>>::some();
            }
        };
    };
}

/// A type is std's very own: `[its parameters] the library's = std's`.
macro_rules! same {
    ([$($parameter:tt)*] $ours:ty = $std:ty) => {
        const _: () = {
            fn check<$($parameter)*>(it: *const $ours) -> *const $std {
                it
            }
        };
    };
}

/// A trait is std's very own.
macro_rules! same_trait {
    ($ours:path = $std:path) => {
        const _: () = {
            fn ours<T: $ours + ?Sized>() {
                std::<T>();
            }
            fn std<T: $std + ?Sized>() {
                ours::<T>();
            }
        };
    };
}

/// Expands the files of the table with a library.
macro_rules! expand {
    ($lib:ident: $($table:ident)*) => {
        $(
            mod $table {
                use $lib::*;
                include!(concat!("table/", stringify!($table), ".rs"));
            }
        )*
    };
}

mod with_std {
    macro_rules! left_out {
        ($($path:ident)::+; $($entry:tt)+) => {
            $($entry)+
        };
    }
    mod by_hand {
        use std::{thread_local, *};
        include!("by_hand.rs");
    }
    expand! { std: thread sync mpsc atomic net fs time io process os }
}

mod with_greenthread {
    macro_rules! left_out {
        ($($path:ident)::+; $($entry:tt)+) => {};
    }
    mod by_hand {
        use greenthread::{thread_local, *};
        include!("by_hand.rs");
    }
    expand! { greenthread: thread sync mpsc atomic net fs time io process os nightly }
}
