//! Crates that block.

use std::{
    env,
    ffi::{CStr, CString, c_char, c_int, c_void},
    fs,
    io::{Read, Write},
    mem::transmute,
    net::TcpStream,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use crate::{Call, Exam, servers::Kind};

/// What takes 50 ms, for exams without a server.
const NAP: Duration = Duration::from_millis(50);

pub(crate) const EXAMS: &[Exam] = &[
    Exam {
        name: "std-sleep",
        what: "std::thread::sleep for 50 ms",
        server: None,
        most: usize::MAX,
        prepare: |_, _| Box::new(|_| thread::sleep(NAP)),
    },
    Exam {
        name: "std-mpsc",
        what: "std::sync::mpsc: half of them send after 50 ms, half receive",
        server: None,
        most: usize::MAX,
        prepare: channels,
    },
    Exam {
        name: "redis",
        what: "connects, BLPOP for 50 ms",
        server: Some(Kind::Redis),
        most: usize::MAX,
        prepare: |address, _| {
            let client = redis::Client::open(address).expect("an address");
            Box::new(move |number| {
                let mut connection = client.get_connection().expect("a connection");
                let mut command = redis::cmd("BLPOP");
                command.arg(format!("list{number}")).arg(0.05);
                let nothing: Option<(String, String)> = command.query(&mut connection).expect("an answer");
                assert!(nothing.is_none());
            })
        },
    },
    Exam {
        name: "postgres",
        what: "connects, SELECT pg_sleep(0.05)",
        server: Some(Kind::Postgres),
        most: 1000,
        prepare: |address, _| {
            let address = address.to_owned();
            Box::new(move |_| {
                let mut client = postgres::Client::connect(&address, postgres::NoTls).expect("a connection");
                let rows = client.query("SELECT 7 FROM pg_sleep(0.05)", &[]).expect("an answer");
                assert_eq!(rows[0].get::<_, i32>(0), 7);
            })
        },
    },
    Exam {
        name: "libpq (C)",
        what: "Postgres's own library of C, loaded by dlopen: connects, SELECT pg_sleep(0.05)",
        server: Some(Kind::Postgres),
        most: 1000,
        prepare: |address, _| {
            let library = Libpq::load();
            let address = CString::new(address).expect("an address");
            Box::new(move |_| library.sleep(&address))
        },
    },
    Exam {
        name: "mysql",
        what: "connects, SELECT SLEEP(0.05)",
        server: Some(Kind::Mysql),
        most: 1000,
        prepare: |address, _| {
            use mysql::prelude::Queryable;

            let address = address.to_owned();
            Box::new(move |_| {
                let mut connection = mysql::Conn::new(address.as_str()).expect("a connection");
                let answer: Option<u32> = connection.query_first("SELECT SLEEP(0.05)").expect("an answer");
                assert_eq!(answer, Some(0));
            })
        },
    },
    Exam {
        name: "rusqlite",
        what: "a transaction of 1 ms that others wait for, with a busy timeout",
        server: None,
        most: 100,
        prepare: transactions,
    },
    Exam {
        name: "ureq",
        what: "GET, answered after 50 ms",
        server: Some(Kind::Http),
        most: usize::MAX,
        prepare: |address, _| {
            let address = address.to_owned();
            Box::new(move |_| {
                let mut answer = ureq::get(&address).call().expect("an answer");
                assert_eq!(answer.body_mut().read_to_string().expect("a body"), "hello");
            })
        },
    },
    Exam {
        name: "attohttpc",
        what: "GET, answered after 50 ms",
        server: Some(Kind::Http),
        most: usize::MAX,
        prepare: |address, _| {
            let address = address.to_owned();
            Box::new(move |_| {
                let answer = attohttpc::get(&address).send().expect("an answer");
                assert_eq!(answer.text().expect("a body"), "hello");
            })
        },
    },
    Exam {
        name: "minreq",
        what: "GET, answered after 50 ms",
        server: Some(Kind::Http),
        most: usize::MAX,
        prepare: |address, _| {
            let address = address.to_owned();
            Box::new(move |_| {
                let answer = minreq::get(&address).send().expect("an answer");
                assert_eq!(answer.as_str().expect("a body"), "hello");
            })
        },
    },
    Exam {
        name: "reqwest",
        what: "blocking: GET, answered after 50 ms",
        server: Some(Kind::Http),
        most: usize::MAX,
        prepare: |address, _| {
            let address = address.to_owned();
            let client = reqwest::blocking::Client::new();
            Box::new(move |_| {
                let answer = client.get(&address).send().expect("an answer");
                assert_eq!(answer.text().expect("a body"), "hello");
            })
        },
    },
    Exam {
        name: "tiny_http",
        what: "half of them serve a request after 50 ms, half ask",
        server: None,
        most: usize::MAX,
        prepare: requests,
    },
    Exam {
        name: "native-tls",
        what: "OpenSSL: a handshake, GET, answered after 50 ms",
        server: Some(Kind::Tls),
        most: usize::MAX,
        prepare: |address, _| {
            let address = address.to_owned();
            let mut builder = native_tls::TlsConnector::builder();
            let connector = builder.danger_accept_invalid_certs(true).build().expect("a connector");
            Box::new(move |_| {
                let stream = TcpStream::connect(&address).expect("a connection");
                let mut stream = connector.connect("localhost", stream).expect("a handshake");
                assert!(ask(&mut stream).ends_with("hello"));
            })
        },
    },
];

/// What of libpq is used.
struct Libpq {
    connect: unsafe extern "C" fn(*const c_char) -> *mut c_void,
    status: unsafe extern "C" fn(*const c_void) -> c_int,
    execute: unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void,
    result: unsafe extern "C" fn(*const c_void) -> c_int,
    clear: unsafe extern "C" fn(*mut c_void),
    finish: unsafe extern "C" fn(*mut c_void),
}

impl Libpq {
    fn load() -> Self {
        // SAFETY: the library may be loaded at any time, and its functions have these types.
        unsafe {
            let library = libc::dlopen(c"libpq.so.5".as_ptr(), libc::RTLD_NOW);
            assert!(!library.is_null(), "Error: libpq.so.5 is not installed");
            let find = |name: &CStr| {
                let function = libc::dlsym(library, name.as_ptr());
                assert!(!function.is_null(), "Error: libpq has no {name:?}");
                function
            };
            Self {
                connect: transmute::<*mut c_void, unsafe extern "C" fn(*const c_char) -> *mut c_void>(find(
                    c"PQconnectdb",
                )),
                status: transmute::<*mut c_void, unsafe extern "C" fn(*const c_void) -> c_int>(find(
                    c"PQstatus",
                )),
                execute: transmute::<
                    *mut c_void,
                    unsafe extern "C" fn(*mut c_void, *const c_char) -> *mut c_void,
                >(find(c"PQexec")),
                result: transmute::<*mut c_void, unsafe extern "C" fn(*const c_void) -> c_int>(find(
                    c"PQresultStatus",
                )),
                clear: transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(find(c"PQclear")),
                finish: transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(find(c"PQfinish")),
            }
        }
    }

    fn sleep(&self, address: &CStr) {
        /// `CONNECTION_OK` and `PGRES_TUPLES_OK`.
        const OK: (c_int, c_int) = (0, 2);
        // SAFETY: the functions get what they expect, and a connection belongs to one thread.
        unsafe {
            let connection = (self.connect)(address.as_ptr());
            assert_eq!((self.status)(connection), OK.0);
            let result = (self.execute)(connection, c"SELECT pg_sleep(0.05)".as_ptr());
            assert_eq!((self.result)(result), OK.1);
            (self.clear)(result);
            (self.finish)(connection);
        }
    }
}

/// Asks for a page, and returns the answer.
fn ask(mut stream: impl Read + Write) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    // A connection that ends without a farewell of TLS is an error after the whole answer.
    _ = stream.read_to_string(&mut answer);
    answer
}

fn channels(_: &str, threads: usize) -> Call {
    let ends = || {
        let (sender, receiver) = mpsc::channel();
        (Mutex::new(Some(sender)), Mutex::new(Some(receiver)))
    };
    let channels: Vec<_> = (0..threads.div_ceil(2)).map(|_| ends()).collect();
    Box::new(move |number| {
        let (sender, receiver) = &channels[number / 2];
        if number % 2 == 0 {
            let receiver = receiver.lock().expect("no panic").take().expect("it is taken once");
            // With an odd number of threads nobody sends to the last one.
            assert!(number + 1 == threads || receiver.recv() == Ok(7));
        } else {
            thread::sleep(NAP);
            let sender = sender.lock().expect("no panic").take().expect("it is taken once");
            sender.send(7).expect("a receiver");
        }
    })
}

fn transactions(_: &str, _: usize) -> Call {
    let path = env::temp_dir().join(format!("greenthread-ecosystem-{}.sqlite", std::process::id()));
    let open = || {
        let connection = rusqlite::Connection::open(&path).expect("a connection");
        connection.busy_timeout(Duration::from_secs(50)).expect("a timeout");
        connection
    };
    open().execute_batch("CREATE TABLE numbers (number INTEGER)").expect("a table");
    struct Remove(std::path::PathBuf);
    impl Drop for Remove {
        fn drop(&mut self) {
            _ = fs::remove_file(&self.0);
        }
    }
    let remove = Arc::new(Remove(path.clone()));
    Box::new(move |number| {
        let connection = rusqlite::Connection::open(&remove.0).expect("a connection");
        connection.busy_timeout(Duration::from_secs(50)).expect("a timeout");
        connection.execute_batch("BEGIN IMMEDIATE").expect("a transaction");
        let insert = "INSERT INTO numbers VALUES (?1)";
        connection.execute(insert, [i64::try_from(number).expect("small")]).expect("a row");
        thread::sleep(Duration::from_millis(1));
        connection.execute_batch("COMMIT").expect("a commit");
    })
}

fn requests(_: &str, threads: usize) -> Call {
    let server = tiny_http::Server::http("127.0.0.1:0").expect("a server");
    let address = server.server_addr().to_ip().expect("an address of IP");
    Box::new(move |number| {
        if number % 2 == 1 {
            let request = server.recv().expect("a request");
            thread::sleep(NAP);
            request.respond(tiny_http::Response::from_string("hello")).expect("sent");
        } else if number + 1 < threads {
            let stream = TcpStream::connect(address).expect("a connection");
            assert!(ask(stream).ends_with("hello"));
        }
    })
}
