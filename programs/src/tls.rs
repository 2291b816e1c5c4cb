//! An echo server that speaks TLS, with a thread for each connection, and its client.

use std::{
    io::{Read, Write},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName},
    version::{TLS12, TLS13},
};

use super::lib::{
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
};
use crate::Result;

/// The time limit of each read and write.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Serves this many connections. Returns the number of bytes that each has sent, or its error.
pub fn serve(
    listener: &TcpListener,
    config: &Arc<ServerConfig>,
    connections: usize,
) -> Result<Vec<Result<u64>>> {
    let mut sessions = Vec::new();
    for stream in listener.incoming().take(connections) {
        let (stream, config) = (stream?, Arc::clone(config));
        sessions.push(thread::spawn(move || session(stream, config)));
    }
    Ok(sessions.into_iter().map(|session| session.join().expect("no panic")).collect())
}

/// Sends the input back, until the client says that it is done.
fn session(stream: TcpStream, config: Arc<ServerConfig>) -> Result<u64> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // rustls bounds the length of a handshake, and the output that the client doesn't read.
    let mut stream = StreamOwned::new(ServerConnection::new(config)?, stream);
    let mut buffer = vec![0; 1 << 14];
    let mut total = 0;
    loop {
        // The end is an error if the client hasn't announced it.
        match stream.read(&mut buffer)? {
            0 => break,
            n => {
                stream.write_all(&buffer[..n])?;
                total += n as u64;
            }
        }
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(total)
}

/// Sends `blocks` and passes each to `check` together with the answer.
pub fn client(
    address: SocketAddr,
    config: Arc<ClientConfig>,
    blocks: impl Iterator<Item = Vec<u8>>,
    mut check: impl FnMut(&[u8], &[u8]),
) -> Result {
    let connection = ClientConnection::new(config, ServerName::try_from("localhost")?)?;
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut stream = StreamOwned::new(connection, stream);
    let mut echo = Vec::new();
    for block in blocks {
        stream.write_all(&block)?;
        echo.resize(block.len(), 0);
        stream.read_exact(&mut echo)?;
        check(&block, &echo);
    }
    stream.conn.send_close_notify();
    stream.flush()?;
    assert_eq!(stream.read(&mut [0])?, 0, "the server ends in good order, too");
    Ok(())
}

/// A certificate for `localhost`, and a store that trusts it.
fn certificate() -> Result<(ServerConfig, RootCertStore)> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let certificate = CertificateDer::from(made.cert);
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.clone())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key.into())?;
    Ok((config, trusted))
}

fn trusting(store: RootCertStore, version: &'static SupportedProtocolVersion) -> Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Four clients at once send ten megabytes each, with both versions of TLS. One more doesn't trust
/// the server.
pub fn check() -> Result {
    const BLOCKS: usize = 160;
    const BLOCK: usize = 1 << 16;

    let (config, store) = certificate()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || {
        let config = Arc::new(config);
        let suspicious = serve(&listener, &config, 1);
        (suspicious, serve(&listener, &config, 4))
    });

    let stranger = trusting(RootCertStore::empty(), &TLS13)?;
    let refused = client(address, stranger, [vec![1]].into_iter(), |_, _| panic!("never comes so far"));
    let refused = refused.expect_err("a server that nobody vouches for").to_string();
    assert!(refused.contains("UnknownIssuer"), "{refused}");

    let clients: Vec<_> = [&TLS13, &TLS12, &TLS13, &TLS12]
        .into_iter()
        .enumerate()
        .map(|(seed, version)| {
            let config = trusting(store.clone(), version)?;
            Ok(thread::spawn(move || {
                let mut state = seed as u32 + 1;
                let noise = move || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                };
                let blocks = std::iter::repeat_with(noise);
                let mut blocks = blocks.take(BLOCK * BLOCKS);
                let blocks = std::iter::from_fn(move || {
                    let block: Vec<_> = blocks.by_ref().take(BLOCK).collect();
                    (!block.is_empty()).then_some(block)
                });
                let mut same = 0;
                client(address, config, blocks, |sent, echo| {
                    assert!(sent == echo, "block {same} comes back as it was");
                    same += 1;
                })?;
                Ok(same)
            }))
        })
        .collect::<Result<_>>()?;
    for client in clients {
        let same: Result<usize> = client.join().expect("no panic");
        assert_eq!(same?, BLOCKS);
    }

    let (suspicious, totals) = server.join().expect("no panic");
    let alert = suspicious?.remove(0).expect_err("the client has gone away with an alert").to_string();
    assert!(alert.contains("UnknownCA"), "{alert}");
    let totals = totals?.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(totals, [(BLOCK * BLOCKS) as u64; 4]);
    Ok(())
}

/// Clients that send no TLS have a connection each. Then one that does is served.
pub fn check_refuses(bad: &[&[u8]]) -> Result {
    let (config, store) = certificate()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let connections = bad.len() + 1;
    let server = thread::spawn(move || serve(&listener, &Arc::new(config), connections));
    for sent in bad {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(sent)?;
        stream.shutdown(Shutdown::Write)?;
        // An alert, or just the end.
        _ = stream.read_to_end(&mut Vec::new());
    }
    let mut served = 0;
    client(address, trusting(store, &TLS13)?, [b"hello".to_vec()].into_iter(), |sent, echo| {
        assert_eq!(sent, echo);
        served += 1;
    })?;
    assert_eq!(served, 1);
    let mut totals = server.join().expect("no panic")?;
    assert_eq!(totals.pop().expect("the good one")?, 5);
    assert!(totals.iter().all(Result::is_err), "{totals:?}");
    Ok(())
}
