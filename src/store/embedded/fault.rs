//! SQLite's errors in the store's words.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::runtime::meters;
use crate::store::StoreError;

/// What `error` means for who uses the file.
pub fn explain(file: &Path, error: &rusqlite::Error) -> StoreError {
    meters::STORE_ERRORS.add(&["embedded"]);
    let path = file.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => StoreError::Unreadable(format!(
            "{path} is damaged or not an SQLite file ({error}); move it away to start with an empty queue"
        )),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Away(format!("{path} is locked by another program"))
        }
        Some(ErrorCode::DiskFull) => StoreError::Away(format!("no space left for {path}")),
        Some(ErrorCode::ReadOnly) => StoreError::Away(format!("{path} or its folder cannot be written")),
        Some(ErrorCode::CannotOpen) => StoreError::Away(format!("{path} cannot be opened ({error})")),
        _ => StoreError::Away(format!("{path}: {error}")),
    }
}

/// Whether waiting a little is worth it.
pub fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
