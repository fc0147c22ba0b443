//! No secret, token or body reaches a log, a page, an answer or the process list.
