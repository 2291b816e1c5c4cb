//! What the tests of `sqlx` need of a package that is not published.

use std::env;

use sqlx::{Connection, Database, Pool};

pub fn setup_if_needed() {}

/// A connection to the database that the environment names.
pub async fn new<DB: Database>() -> anyhow::Result<DB::Connection> {
    Ok(DB::Connection::connect(&env::var("DATABASE_URL")?).await?)
}

/// A pool of such connections.
pub async fn pool<DB: Database>() -> anyhow::Result<Pool<DB>> {
    Ok(Pool::connect(&env::var("DATABASE_URL")?).await?)
}
