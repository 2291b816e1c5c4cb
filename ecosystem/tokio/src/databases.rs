//! sqlx. Its threads share a pool of connections, as those of a program would.

use std::{fs, time::Duration};

use greenthread::block_on;
use sqlx::{
    Pool,
    pool::PoolOptions,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    Asked,
    exams::{AnyResult, all, expect},
};

/// Opens a pool. A thread may have to wait until all others have had their turn.
fn pool<DB: sqlx::Database>(
    size: u32,
    options: <DB::Connection as sqlx::Connection>::Options,
) -> Result<Pool<DB>, sqlx::Error> {
    let pool = PoolOptions::new().max_connections(size).acquire_timeout(Duration::from_mins(10));
    block_on(pool.connect_with(options))
}

pub(crate) fn postgres(asked: Asked, address: &str) -> Vec<String> {
    let opened = address.parse().and_then(|options: PgConnectOptions| pool::<sqlx::Postgres>(16, options));
    let pool = match opened {
        Ok(pool) => pool,
        Err(error) => return vec![error.to_string()],
    };
    let shared = pool.clone();
    let errors = all(asked, move |number, n| -> AnyResult {
        let sum = sqlx::query_scalar::<_, i64>("SELECT $1 + $2").bind(number as i64).bind(n as i64);
        expect(block_on(sum.fetch_one(&shared))? == (number + n) as i64)
    });
    block_on(pool.close());
    errors
}

/// Each call is a transaction that writes a row, and a query that reads it.
pub(crate) fn sqlite(asked: Asked, _: &str) -> Vec<String> {
    let folder = std::env::temp_dir().join(format!("ecosystem-sqlite-{}", std::process::id()));
    let errors = in_folder(asked, &folder).unwrap_or_else(|error| vec![error.to_string()]);
    _ = fs::remove_dir_all(folder);
    errors
}

fn in_folder(
    asked: Asked,
    folder: &std::path::Path,
) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    fs::create_dir_all(folder)?;
    let options = SqliteConnectOptions::new()
        .filename(folder.join("data"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off)
        .busy_timeout(Duration::from_mins(10));
    let pool = pool::<sqlx::Sqlite>(4, options)?;
    block_on(sqlx::query("CREATE TABLE sums (number INTEGER PRIMARY KEY, n INTEGER)").execute(&pool))?;
    let shared = pool.clone();
    let errors = all(asked, move |number, n| -> AnyResult {
        let (number, n) = (number as i64, n as i64);
        // It writes at once, since a transaction that begins by reading may not come to write.
        let mut transaction = block_on(shared.begin_with("BEGIN IMMEDIATE"))?;
        let insert = sqlx::query("INSERT OR REPLACE INTO sums VALUES ($1, $2)").bind(number).bind(n);
        block_on(insert.execute(&mut *transaction))?;
        block_on(transaction.commit())?;
        let select = sqlx::query_scalar::<_, i64>("SELECT n FROM sums WHERE number = $1").bind(number);
        expect(block_on(select.fetch_one(&shared))? == n)
    });
    block_on(pool.close());
    Ok(errors)
}
