//! `select!` and `select_biased!`.
//!
//! The tokens are taken apart one arm at a time (`@arm`, `@body`) into a list; then each arm's
//! channel is bound, one scope inside the other (`@bind`), so that temporaries live long enough; in
//! the innermost scope the select is run, and the selected arm goes on (`@go`). Each arm's variable
//! is of an expansion of its own, so they don't clash.

/// Waits for the first of several operations on channels that can go on, and does that one.
///
/// The arms are
///
/// * `recv(receiver) -> pattern => body`: the pattern is bound to a `Result<T, RecvError>`;
/// * `send(sender, message) -> pattern => body`: the pattern is bound to a
///   `Result<(), SendError<T>>`. The message is computed only if this arm has been chosen;
/// * `default => body`: taken if no other arm is ready at this moment, so the `select!` doesn't
///   wait;
/// * `default(duration) => body`: taken if no other arm has become ready after so long.
///
/// A body is an expression, followed by a comma unless it is a block. The value of the `select!` is
/// that of the body. There is one `default` at most.
///
/// An operation is ready if it would not block; that its channel is disconnected makes it ready,
/// and its result an error. If several are ready, one of them is chosen at random, with equal odds.
/// [`select_biased!`](super::select_biased) chooses the first.
///
/// Blocks the calling thread, green or OS, while nothing is ready and there is no `default`. It
/// uses no other thread, and allocates nothing.
///
/// # Slow messages
///
/// An arm that sends is selected before its message is computed, and keeps for it a place in the
/// channel, or a receiver. So while that takes, nobody else can use the place; and the receiver
/// waits for this message, even if others send and even beyond its timeout. Compute a message that
/// takes long, or that waits, before the `select!`.
///
/// # Panics
///
/// If there is no arm at all.
///
/// # Examples
///
/// ```
/// use greenthread::channel::{select, unbounded};
///
/// let (s1, r1) = unbounded();
/// let (s2, r2) = unbounded();
/// s1.send(10).unwrap();
///
/// // Both are ready.
/// select! {
///     recv(r1) -> message => assert_eq!(message, Ok(10)),
///     send(s2, 20) -> sent => {
///         assert_eq!(sent, Ok(()));
///         assert_eq!(r2.recv(), Ok(20));
///     }
/// }
/// ```
///
/// With a timeout:
///
/// ```
/// use greenthread::{channel::{select, unbounded}, time::Duration};
///
/// let (_s, r) = unbounded::<i32>();
/// let got = select! {
///     recv(r) -> message => message.ok(),
///     default(Duration::from_millis(5)) => None,
/// };
/// assert_eq!(got, None);
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __channel_select {
    ($($tokens:tt)*) => {
        $crate::__channel_arms!(@arm Fair () () $($tokens)*)
    };
}

/// As [`select!`](super::select), but of the operations that are ready it chooses the one that is
/// written first.
///
/// # Examples
///
/// ```
/// use greenthread::channel::{select_biased, unbounded};
///
/// let (urgent, first) = unbounded();
/// let (other, second) = unbounded();
/// other.send("later").unwrap();
/// urgent.send("now").unwrap();
/// let message = select_biased! {
///     recv(first) -> message => message,
///     recv(second) -> message => message,
/// };
/// assert_eq!(message, Ok("now"));
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __channel_select_biased {
    ($($tokens:tt)*) => {
        $crate::__channel_arms!(@arm First () () $($tokens)*)
    };
}

/// See the module.
#[doc(hidden)]
#[macro_export]
macro_rules! __channel_arms {
    // All arms are in the list.
    (@arm $choice:ident () ()) => {
        ::core::panic!("no operations have been added to `Select`")
    };
    (@arm $choice:ident $arms:tt ()) => {
        $crate::__channel_arms!(@bind $choice $arms () (
            ($crate::channel::internal::Timeout::Wait(::core::option::Option::None))
            { ::core::unreachable!("without a deadline, a select ends with one of its operations") }
        ))
    };
    (@arm $choice:ident $arms:tt $default:tt) => {
        $crate::__channel_arms!(@bind $choice $arms () $default)
    };

    // The next arm's head.
    (@arm $choice:ident $arms:tt $default:tt recv($receiver:expr $(,)?) -> $result:pat => $($rest:tt)+) => {
        $crate::__channel_arms!(@body $choice $arms $default (recv ($receiver) ($result)) $($rest)+)
    };
    (@arm $choice:ident $arms:tt $default:tt
        send($sender:expr, $message:expr $(,)?) -> $result:pat => $($rest:tt)+
    ) => {
        $crate::__channel_arms!(@body $choice $arms $default (send ($sender) ($result) ($message)) $($rest)+)
    };
    (@arm $choice:ident $arms:tt () default $(())? => $($rest:tt)+) => {
        $crate::__channel_arms!(@body $choice $arms ()
            (default ($crate::channel::internal::Timeout::Try)) $($rest)+)
    };
    (@arm $choice:ident $arms:tt () default($timeout:expr $(,)?) => $($rest:tt)+) => {
        $crate::__channel_arms!(@body $choice $arms ()
            (default ($crate::channel::internal::Timeout::within($timeout))) $($rest)+)
    };
    (@arm $choice:ident $arms:tt ($($default:tt)+) default $($rest:tt)*) => {
        ::core::compile_error!("there can be only one `default` in a `select!`")
    };
    (@arm $choice:ident $arms:tt $default:tt $($rest:tt)+) => {
        ::core::compile_error!(::core::concat!(
            "expected `recv(receiver) -> pattern => body`, `send(sender, message) -> pattern => body` or ",
            "`default => body`, found `", ::core::stringify!($($rest)+), "`"
        ))
    };

    // Its body, and what comes after it.
    (@body $choice:ident $arms:tt $default:tt $head:tt { $($body:tt)* }, $($rest:tt)*) => {
        $crate::__channel_arms!(@add $choice $arms $default $head { $($body)* } $($rest)*)
    };
    (@body $choice:ident $arms:tt $default:tt $head:tt $body:expr, $($rest:tt)*) => {
        $crate::__channel_arms!(@add $choice $arms $default $head { $body } $($rest)*)
    };
    (@body $choice:ident $arms:tt $default:tt $head:tt { $($body:tt)* } $($rest:tt)*) => {
        $crate::__channel_arms!(@add $choice $arms $default $head { $($body)* } $($rest)*)
    };
    (@body $choice:ident $arms:tt $default:tt $head:tt $body:expr) => {
        $crate::__channel_arms!(@add $choice $arms $default $head { $body })
    };
    (@body $choice:ident $arms:tt $default:tt $head:tt $($rest:tt)+) => {
        ::core::compile_error!(::core::concat!(
            "expected an expression and a comma after `=>`, found `", ::core::stringify!($($rest)+), "`"
        ))
    };

    // Into the list with both.
    (@add $choice:ident $arms:tt () (default $timeout:tt) $body:tt $($rest:tt)*) => {
        $crate::__channel_arms!(@arm $choice $arms ($timeout $body) $($rest)*)
    };
    (@add $choice:ident ($($arms:tt)*) $default:tt ($($head:tt)*) $body:tt $($rest:tt)*) => {
        $crate::__channel_arms!(@arm $choice ($($arms)* [$($head)* $body]) $default $($rest)*)
    };

    // Binds the channels.
    (@bind $choice:ident ([recv ($receiver:expr) $result:tt $body:tt] $($arms:tt)*) ($($bound:tt)*) $default:tt) => {
        match $receiver {
            ref receiver => {
                let receiver: &$crate::channel::Receiver<_> = receiver;
                let arm = $crate::channel::internal::RecvArm::new(receiver);
                $crate::__channel_arms!(
                    @bind $choice ($($arms)*) ($($bound)* [arm recv $result $body]) $default
                )
            }
        }
    };
    (@bind $choice:ident
        ([send ($sender:expr) $result:tt $message:tt $body:tt] $($arms:tt)*) ($($bound:tt)*) $default:tt
    ) => {
        match $sender {
            ref sender => {
                let sender: &$crate::channel::Sender<_> = sender;
                let arm = $crate::channel::internal::SendArm::new(sender);
                $crate::__channel_arms!(
                    @bind $choice ($($arms)*) ($($bound)* [arm send $result $message $body]) $default
                )
            }
        }
    };
    // All are bound: runs the select.
    (@bind $choice:ident () ($([$arm:ident $($what:tt)*])*) (($timeout:expr) $default:tt)) => {{
        let (chosen, selection) = {
            let timeout = $timeout;
            let mut operations = [$($arm.operation()),*];
            $crate::channel::internal::run(
                &mut operations,
                timeout,
                $crate::channel::internal::Choice::$choice,
            )
        };
        $crate::__channel_arms!(@go chosen selection (0usize) ($([$arm $($what)*])*) $default)
    }};

    // Goes on with the arm that was chosen.
    (@go $chosen:ident $selection:ident $number:tt () $default:tt) => {{
        ::core::mem::drop($selection);
        $default
    }};
    (@go $chosen:ident $selection:ident ($number:expr)
        ([$arm:ident recv ($result:pat) $body:tt] $($arms:tt)*) $default:tt
    ) => {
        if $chosen == $number {
            let $result = $arm.finish($selection);
            $body
        } else {
            $crate::__channel_arms!(@go $chosen $selection ($number + 1) ($($arms)*) $default)
        }
    };
    (@go $chosen:ident $selection:ident ($number:expr)
        ([$arm:ident send ($result:pat) ($message:expr) $body:tt] $($arms:tt)*) $default:tt
    ) => {
        if $chosen == $number {
            let $result = $arm.finish($selection, $message);
            $body
        } else {
            $crate::__channel_arms!(@go $chosen $selection ($number + 1) ($($arms)*) $default)
        }
    };
}
