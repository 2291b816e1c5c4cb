//! `select!` and `select_biased!`.
//!
//! The expansion has three phases. `@arm` and `@body` parse the tokens, one arm at a time, into a
//! list. `@bind` binds the channel of each arm, in one scope inside the other, so that temporaries
//! live until the `select!` ends. In the innermost scope the select runs, and `@go` continues with
//! the chosen arm. The variable of each arm comes from an expansion of its own, so hygiene keeps
//! them apart.

/// Waits until one of several channel operations can proceed, and does that one.
///
/// An arm is one of
///
/// * `recv(receiver) -> pattern => body`: receives a message. The pattern is matched against a
///   `Result<T, RecvError>`.
/// * `send(sender, message) -> pattern => body`: sends a message. The pattern is matched against a
///   `Result<(), SendError<T>>`. The message is evaluated only if this arm has been chosen.
/// * `default => body`: is chosen if no other arm is ready at this moment. With it, the `select!`
///   never waits.
/// * `default(duration) => body`: is chosen if no other arm has become ready within `duration`.
///
/// A body is an expression, followed by a comma unless it is a block. The value of the `select!` is
/// the value of the body that ran. There can be at most one `default`.
///
/// An operation is ready if it would not block. An operation on a disconnected channel is ready,
/// and its result is an error. If several operations are ready, one of them is chosen at random,
/// with equal odds; [`select_biased!`](super::select_biased) chooses the first.
///
/// The `select!` blocks the calling thread, green or OS, while no operation is ready and there is
/// no `default`. It uses no other thread, and allocates nothing.
///
/// # Slow messages
///
/// A `send` arm is chosen before its message is evaluated. Until the message is there, the arm
/// reserves a slot in the channel, or a waiting receiver. Meanwhile no other thread can use that
/// slot; and that receiver waits for this message, even if other threads send, and even beyond its
/// own timeout. If a message takes long to evaluate, or waits for something, evaluate it before the
/// `select!`.
///
/// # Panics
///
/// If there is no arm.
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
/// // Both arms are ready.
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

/// Like [`select!`](super::select), but if several operations are ready, it chooses the one that is
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

/// The implementation of both macros; see the module's comment.
#[doc(hidden)]
#[macro_export]
macro_rules! __channel_arms {
    // All arms have been parsed.
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

    // Parses the head of the next arm.
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

    // Parses the body of that arm, and leaves the tokens after it.
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

    // Adds head and body to the list.
    (@add $choice:ident $arms:tt () (default $timeout:tt) $body:tt $($rest:tt)*) => {
        $crate::__channel_arms!(@arm $choice $arms ($timeout $body) $($rest)*)
    };
    (@add $choice:ident ($($arms:tt)*) $default:tt ($($head:tt)*) $body:tt $($rest:tt)*) => {
        $crate::__channel_arms!(@arm $choice ($($arms)* [$($head)* $body]) $default $($rest)*)
    };

    // Binds the channel of each arm.
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
    // All channels are bound: runs the select.
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

    // Continues with the arm that was chosen.
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
