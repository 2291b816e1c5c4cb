//! Crates that block.

use std::{
    env,
    ffi::CString,
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

use ecosystem_common::servers::Kind;

use crate::{Call, Exam, libpq::Libpq, servers::Server};

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
        server: Some(Server::Process(Kind::Redis)),
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
        server: Some(Server::Process(Kind::Postgres)),
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
        server: Some(Server::Process(Kind::Postgres)),
        most: 1000,
        prepare: |address, _| {
            let library = Libpq::load();
            let address = CString::new(address).expect("an address");
            Box::new(move |_| library.sleep(&address))
        },
    },
    Exam {
        name: "diesel",
        what: "on libpq: connects, SELECT pg_sleep(0.05)",
        server: Some(Server::Process(Kind::Postgres)),
        most: 1000,
        prepare: |address, _| {
            use diesel::{Connection, RunQueryDsl};

            let address = address.to_owned();
            Box::new(move |_| {
                let mut connection = diesel::PgConnection::establish(&address).expect("a connection");
                diesel::sql_query("SELECT pg_sleep(0.05)").execute(&mut connection).expect("an answer");
            })
        },
    },
    Exam {
        name: "mysql",
        what: "connects, SELECT SLEEP(0.05)",
        server: Some(Server::Process(Kind::Mysql)),
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
        server: Some(Server::Http),
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
        server: Some(Server::Http),
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
        server: Some(Server::Http),
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
        server: Some(Server::Http),
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
        name: "lettre",
        what: "connects, sends a mail, which the server takes after 50 ms",
        server: Some(Server::Process(Kind::Smtp)),
        most: usize::MAX,
        prepare: |port, _| {
            use lettre::Transport;

            let transport = lettre::SmtpTransport::builder_dangerous("127.0.0.1");
            let transport = transport.port(port.parse().expect("a port")).build();
            let address: lettre::message::Mailbox = "nobody@localhost".parse().expect("an address");
            let mail = lettre::Message::builder().from(address.clone()).to(address);
            let mail = mail.subject("hello").body("hello".to_owned()).expect("a mail");
            Box::new(move |_| assert!(transport.send(&mail).expect("sent").is_positive()))
        },
    },
    Exam {
        name: "rumqttc",
        what: "connects; half of them publish after 50 ms, half receive",
        server: Some(Server::Process(Kind::Mqtt)),
        most: usize::MAX,
        prepare: messages,
    },
    Exam {
        name: "git2",
        what: "clones a repository, which is served after 50 ms",
        server: Some(Server::Git),
        // A thousand processes of git are more than a small machine serves in time.
        most: 100,
        prepare: clones,
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
        server: Some(Server::Tls),
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

/// A file or folder of this process, which is removed in the end.
struct Own(PathBuf);

impl Own {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("greenthread-ecosystem-{}-{name}", std::process::id())))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        _ = if self.0.is_dir() { fs::remove_dir_all(&self.0) } else { fs::remove_file(&self.0) };
    }
}

fn transactions(_: &str, _: usize) -> Call {
    let file = Own::new("sqlite");
    let open = move || {
        let connection = rusqlite::Connection::open(&file.0).expect("a connection");
        connection.busy_timeout(Duration::from_secs(50)).expect("a timeout");
        connection
    };
    open().execute_batch("CREATE TABLE numbers (number INTEGER)").expect("a table");
    Box::new(move |number| {
        let connection = open();
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

fn messages(port: &str, threads: usize) -> Call {
    use rumqttc::{Client, Event, MqttOptions, Packet, QoS::AtLeastOnce};

    let port = port.parse().expect("a port");
    Box::new(move |number| {
        let name = |number| format!("{}-{number}", std::process::id());
        let mut options = MqttOptions::new(name(number), "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(60));
        let (client, mut connection) = Client::new(options, 10);
        let topic = name(number / 2);
        if number % 2 == 1 {
            thread::sleep(NAP);
            // It is retained for a sibling that has yet to subscribe.
            client.publish(topic, AtLeastOnce, true, "hello").expect("taken");
        } else {
            client.subscribe(topic, AtLeastOnce).expect("taken");
        }
        for event in connection.iter() {
            match event.expect("a connection") {
                Event::Incoming(Packet::PubAck(_)) => break,
                // With an odd number of threads nobody publishes to the last one.
                Event::Incoming(Packet::SubAck(_)) if number + 1 == threads => break,
                Event::Incoming(Packet::Publish(message)) => {
                    assert_eq!(message.payload, "hello");
                    break;
                }
                _ => {}
            }
        }
    })
}

fn clones(address: &str, _: usize) -> Call {
    let (address, folder) = (address.to_owned(), Own::new("clones"));
    Box::new(move |number| {
        let clone = folder.0.join(number.to_string());
        git2::Repository::clone(&address, &clone).expect("a clone");
        assert_eq!(fs::read_to_string(clone.join("hello")).expect("a file"), "hello");
    })
}
