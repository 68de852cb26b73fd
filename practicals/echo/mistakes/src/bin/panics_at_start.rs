//! Panics in its first line, whatever its arguments are. It never gets so far as to bind, so no
//! check can say more about it.

fn main() {
    let settings: Vec<&str> = Vec::new();
    println!("the address is {}", settings[0]);
}
