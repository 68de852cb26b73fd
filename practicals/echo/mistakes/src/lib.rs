//! What the programs in `bin` share: a correct server and a correct client, cut into steps. A wrong
//! program replaces one of these steps, so its file shows little else.

pub mod client;
pub mod server;
