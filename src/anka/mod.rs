//! anka
