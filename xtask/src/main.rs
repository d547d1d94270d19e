//! probe
mod codegen;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let r = if args.get(2).map(|s| s.as_str()) == Some("--check") {
        codegen::stale(".".as_ref()).map(|v| v.iter().map(|o| o.path).collect())
    } else {
        codegen::write(".".as_ref())
    };
    match r {
        Ok(p) => {
            for x in p {
                println!("{x}")
            }
        }
        Err(e) => println!("error: {e}"),
    }
}
