//! What the tests of `sqlx` need of a package that is not published.

use std::env;

use sqlx::{Connection, Database, Pool, Result};

pub fn setup_if_needed() {}

fn address() -> String {
    env::var("DATABASE_URL").expect("it is set")
}

/// A connection to the database that the environment names.
pub async fn new<DB: Database>() -> Result<DB::Connection> {
    DB::Connection::connect(&address()).await
}

/// A pool of such connections.
pub async fn pool<DB: Database>() -> Result<Pool<DB>> {
    Pool::connect(&address()).await
}
