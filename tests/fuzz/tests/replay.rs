//! Every kept seed once more, without a fuzzer.

#[path = "../checks/bus_node.rs"]
mod bus_node;
#[path = "../checks/bus_packet.rs"]
mod bus_packet;
#[path = "../checks/config_file.rs"]
mod config_file;
#[path = "../../../crates/persistence/tests/support/mod.rs"]
mod dump_payload;
#[path = "../../../crates/resp/tests/support/mod.rs"]
mod resp_request;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = format!("{}/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).expect("each target has seeds") {
        let path = entry.expect("the folder can be listed").path();
        println!("{}", path.display());
        check(&std::fs::read(&path).expect("a seed can be read"));
        count += 1;
    }
    assert!(count > 0, "{folder} holds seeds");
}

#[test]
fn resp_request() {
    replay("resp_request", resp_request::check_all_ways);
}

#[test]
fn bus_packet() {
    replay("bus_packet", bus_packet::check);
}

#[test]
fn bus_node() {
    replay("bus_node", bus_node::check);
}

#[test]
fn config_file() {
    replay("config_file", config_file::check);
}

#[test]
fn dump_payload() {
    replay("dump_payload", dump_payload::check);
}
