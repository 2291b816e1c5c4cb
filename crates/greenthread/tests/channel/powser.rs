//! Go's `powser1.go`: power series as threads that compute a coefficient when they are asked for
//! it, with `greenthread::channel`.

use std::collections::VecDeque;

use greenthread::channel::{Receiver, Sender, bounded, never, select};

use crate::common::world::{World, everywhere};

/// A fraction, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ratio(i64, i64);

fn ratio(over: i64, under: i64) -> Ratio {
    fn common(a: i64, b: i64) -> i64 {
        if b == 0 { a.abs().max(1) } else { common(b, a % b) }
    }
    let common = common(over, under);
    Ratio(over / common, under / common)
}

impl std::ops::Add for Ratio {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        ratio(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }
}

impl std::ops::Mul for Ratio {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        ratio(self.0 * other.0, self.1 * other.1)
    }
}

/// A series. On each request its thread sends the next coefficient. It ends when its requests'
/// sender is dropped.
struct Series {
    ask: Sender<()>,
    next: Receiver<Ratio>,
}

impl Series {
    /// A series from a function that puts coefficients until that fails.
    fn new(world: &World, make: impl FnOnce(&Put) + Send + 'static) -> Self {
        let (ask, asked) = bounded(0);
        let (put, next) = bounded(0);
        drop(world.spawn(move || make(&Put { asked, put })));
        Self { ask, next }
    }

    /// The next coefficient, or `None` at the end of a polynomial.
    fn get(&self) -> Option<Ratio> {
        self.ask.send(()).ok()?;
        self.next.recv().ok()
    }

    fn get_or_0(&self) -> Ratio {
        self.get().unwrap_or(ratio(0, 1))
    }

    fn first(&self, count: usize) -> Vec<Ratio> {
        (0..count).map(|_| self.get_or_0()).collect()
    }
}

/// The maker's side.
struct Put {
    asked: Receiver<()>,
    put: Sender<Ratio>,
}

impl Put {
    /// Puts the next coefficient when it is asked for. `None` if no more requests come.
    fn put(&self, ratio: Ratio) -> Option<()> {
        self.asked.recv().ok()?;
        self.put.send(ratio).ok()
    }
}

fn always(world: &World, value: Ratio) -> Series {
    Series::new(world, move |out| while out.put(value).is_some() {})
}

fn add(world: &World, one: Series, other: Series) -> Series {
    Series::new(world, move |out| while out.put_by(|| one.get_or_0() + other.get_or_0()).is_some() {})
}

impl Put {
    /// Computes the next coefficient when it is asked for.
    fn put_by(&self, make: impl FnOnce() -> Ratio) -> Option<()> {
        self.asked.recv().ok()?;
        self.put.send(make()).ok()
    }
}

/// The same series twice. The first request for a coefficient fetches it, and it is kept for the
/// other side.
fn split(world: &World, series: Series) -> [Series; 2] {
    let (ask0, asked0) = bounded(0);
    let (ask1, asked1) = bounded(0);
    let (put0, next0) = bounded(0);
    let (put1, next1) = bounded(0);
    drop(world.spawn(move || {
        let (mut asked, puts) = ([asked0, asked1], [put0, put1]);
        let mut kept = [VecDeque::new(), VecDeque::new()];
        let mut open = [true, true];
        while open != [false, false] {
            let (one, ok) = select! {
                recv(asked[0]) -> ask => (0, ask.is_ok()),
                recv(asked[1]) -> ask => (1, ask.is_ok()),
            };
            if !ok {
                asked[one] = never();
                open[one] = false;
                continue;
            }
            if kept[one].is_empty() {
                let next = series.get_or_0();
                kept.iter_mut().for_each(|kept| kept.push_back(next));
            }
            if puts[one].send(kept[one].pop_front().unwrap()).is_err() {
                open[one] = false;
                asked[one] = never();
            }
        }
    }));
    [Series { ask: ask0, next: next0 }, Series { ask: ask1, next: next1 }]
}

fn times(world: &World, factor: Ratio, series: Series) -> Series {
    Series::new(world, move |out| while out.put_by(|| factor * series.get_or_0()).is_some() {})
}

/// The product: f0 g0, and then f0 G' + g0 F' + x F' G'.
fn mul(world: &World, one: Series, other: Series) -> Series {
    let inner = world.clone();
    Series::new(world, move |out| {
        let world = inner;
        if out.asked.recv().is_err() {
            return;
        }
        let (f, g) = (one.get_or_0(), other.get_or_0());
        if out.put.send(f * g).is_err() {
            return;
        }
        let ([f0, f1], [g0, g1]) = (split(&world, one), split(&world, other));
        let sum = add(&world, times(&world, f, g0), times(&world, g, f0));
        if out.put_by(|| sum.get_or_0()).is_none() {
            return;
        }
        let product = mul(&world, f1, g1);
        while out.put_by(|| sum.get_or_0() + product.get_or_0()).is_some() {}
    })
}

fn derivative(world: &World, series: Series) -> Series {
    Series::new(world, move |out| {
        let mut power = 1;
        let _ = series.get();
        while out.put_by(|| ratio(power, 1) * series.get_or_0()).is_some() {
            power += 1;
        }
    })
}

fn integral(world: &World, constant: Ratio, series: Series) -> Series {
    Series::new(world, move |out| {
        let mut power = 1;
        if out.put(constant).is_none() {
            return;
        }
        while out.put_by(|| ratio(1, power) * series.get_or_0()).is_some() {
            power += 1;
        }
    })
}

#[test]
fn powser() {
    everywhere(|world| {
        let one = ratio(1, 1);
        let ones = || always(world, one);
        assert_eq!(add(world, ones(), ones()).first(10), vec![ratio(2, 1); 10]);
        // 1/(1-x) squared is 1 + 2x + 3x^2..., its own derivative too.
        let count: Vec<_> = (1..=6).map(|n| ratio(n, 1)).collect();
        assert_eq!(mul(world, ones(), ones()).first(6), count);
        assert_eq!(derivative(world, ones()).first(6), count);
        // The integral of 1/(1-x) is x + x^2/2 + x^3/3...
        let log: Vec<_> = std::iter::once(ratio(0, 1)).chain((1..6).map(|n| ratio(1, n))).collect();
        assert_eq!(integral(world, ratio(0, 1), ones()).first(6), log);
        // e^x, by way of a polynomial that ends.
        let [one_half, other_half] = split(world, integral(world, one, ones()));
        assert_eq!(
            add(world, one_half, times(world, ratio(-1, 1), other_half)).first(8),
            vec![ratio(0, 1); 8]
        );
    });
}
