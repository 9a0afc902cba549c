//! Clusters of real processes: made by redis-cli, mixed with Redis nodes, killed and taken back.
//!
//! The bus port is the client port plus 10,000. Nodes run with `cluster-node-timeout 2000`, so that
//! a failure is known after about four seconds; every wait polls with a deadline far above that.

use std::process::{Command, Stdio};
use std::time::Duration;

use ringslot_tests::client::Client;
use ringslot_tests::nodes::{self, agree, redis_cli_ok};
use ringslot_tests::process;
use ringslot_tests::program::{installed, Kind, Program};
use ringslot_tests::reply::Value;
use ringslot_tests::server::{Server, Setup};
use ringslot_tests::wait;

/// Deadline for views to converge.
const AGREE: Duration = Duration::from_secs(30);
/// Deadline for a failure to be declared or taken back: several node timeouts.
const FAILURE: Duration = Duration::from_secs(40);

fn node(program: &Program) -> Server {
    Setup::of(program).cluster().with("cluster-node-timeout", "2000").start()
}

/// A cluster made by redis-cli of these nodes, all slots covered and all views equal.
#[track_caller]
fn create(servers: &[&Server]) {
    let addresses: Vec<String> = servers.iter().map(|s| format!("127.0.0.1:{}", s.port())).collect();
    let mut args = vec!["--cluster", "create"];
    args.extend(addresses.iter().map(String::as_str));
    args.extend(["--cluster-replicas", "0", "--cluster-yes"]);
    let text = redis_cli_ok(&args);
    assert!(text.contains("[OK] All 16384 slots covered."), "{text}");
    wait::until_ok("the nodes agree after create", AGREE, || agree(servers));
}

fn three_of_ours() -> [Server; 3] {
    let program = Program::subject();
    let servers = [node(&program), node(&program), node(&program)];
    create(&servers.each_ref());
    servers
}

/// redis-cli --cluster check finds every slot covered, asked through each node.
#[track_caller]
fn check(servers: &[&Server]) {
    for server in servers {
        let text = redis_cli_ok(&["--cluster", "check", &format!("127.0.0.1:{}", server.port())]);
        assert!(text.contains("[OK] All nodes agree about slots configuration."), "{text}");
        assert!(text.contains("[OK] All 16384 slots covered."), "{text}");
    }
}

#[test]
fn redis_cli_makes_a_cluster_of_three_empty_nodes() {
    let servers = three_of_ours();
    check(&servers.each_ref());
    for server in &servers {
        let mut client = server.client();
        for (field, value) in [
            ("cluster_slots_assigned", "16384"),
            ("cluster_slots_ok", "16384"),
            ("cluster_known_nodes", "3"),
            ("cluster_size", "3"),
        ] {
            assert_eq!(nodes::info(&mut client, field).expect("a reply"), value, "{field}");
        }
        let epoch: u64 =
            nodes::info(&mut client, "cluster_my_epoch").expect("a reply").parse().expect("an epoch");
        assert!((1..=3).contains(&epoch), "redis-cli gives each node an epoch of its own, not {epoch}");
    }
}

#[test]
fn redis_cli_follows_redirections() {
    let servers = three_of_ours();
    let port = servers[0].port().to_string();
    for i in 0..60 {
        let (key, value) = (format!("key:{i}"), format!("value {i}"));
        // Some are ours, most are not: -c follows MOVED for both.
        assert_eq!(redis_cli_ok(&["-c", "-p", &port, "set", &key, &value]).trim(), "OK");
        assert_eq!(redis_cli_ok(&["-c", "-p", &port, "get", &key]).trim(), value);
    }
    let sizes: Vec<i64> = servers.iter().map(|s| s.client().call(&["DBSIZE"]).integer()).collect();
    assert_eq!(sizes.iter().sum::<i64>(), 60);
    assert!(sizes.iter().all(|s| *s > 0), "{sizes:?}");

    // The redirection itself, word for word.
    let mut client = servers[0].client();
    let slots = nodes::slots(&mut client).expect("CLUSTER SLOTS");
    // "foo" is in slot 12182, which is in the last third.
    let owner = slots.iter().find(|s| s.0 <= 12182 && 12182 <= s.1).expect("covered");
    assert_ne!(owner.2, i64::from(servers[0].port()), "redis-cli deals the slots in the given order");
    let moved = Value::Error(format!("MOVED 12182 127.0.0.1:{}", owner.2));
    assert_eq!(client.call(&["GET", "foo"]), moved);
    assert_eq!(client.call(&["SET", "foo", "v"]), moved);
    assert_eq!(client.call(&["MGET", "{foo}1", "{foo}2"]), moved);
    assert_eq!(
        client.call(&["MGET", "foo", "bar"]),
        Value::Error("CROSSSLOT Keys in request don't hash to the same slot".into())
    );
    client.call(&["READONLY"]).ok();
    assert_eq!(client.call(&["GET", "foo"]), moved, "READONLY matters to replicas alone");
    client.call(&["ASKING"]).ok();
    assert_eq!(client.call(&["GET", "foo"]), moved, "ASKING matters to importing slots alone");
    assert_eq!(client.call(&["COMMAND", "GETKEYS", "GET", "foo"]).items().len(), 1);
}

#[test]
fn redis_benchmark_runs_on_the_cluster() {
    let servers = three_of_ours();
    let output = Command::new(installed("redis-benchmark", "redis-tools"))
        .args(["--cluster", "-p", &servers[0].port().to_string()])
        .args(["-t", "set,get,incr,mset", "-P", "16", "-n", "100000", "-r", "100000", "-q"])
        .output()
        .expect("redis-benchmark runs");
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    assert!(!text.to_lowercase().contains("error"), "{text}");
    for test in ["SET", "GET", "INCR", "MSET"] {
        assert!(text.contains(test) && text.contains("requests per second"), "{test}: {text}");
    }
    let stored: i64 = servers.iter().map(|s| s.client().call(&["DBSIZE"]).integer()).sum();
    assert!(stored > 10_000, "only {stored} keys were stored");
}

/// Kills one node of a cluster and brings it back: every other one calls it failed, and takes it back
/// with its id, epoch and slots.
#[track_caller]
fn kill_and_take_back(mut servers: Vec<Server>, victim: usize) -> Vec<Server> {
    let mut client = servers[victim].client();
    let id = nodes::my_id(&mut client);
    let before = nodes::nodes(&mut client).expect("CLUSTER NODES")[&id].clone();
    drop(client);

    let stopped = servers.remove(victim).crash();
    for server in &servers {
        wait::until_ok("the killed node is called failed", FAILURE, || {
            let mut client = server.client();
            let view = nodes::nodes(&mut client)?;
            let dead = view.get(&id).ok_or("it is unknown")?;
            if !dead.is("fail") {
                return Err(format!("port {}: {dead:?}", server.port()));
            }
            // A part of the slots is not covered, so nobody serves.
            match nodes::info(&mut client, "cluster_state").map_err(|e| e.to_string())?.as_str() {
                "fail" => Ok(()),
                state => Err(format!("port {} says cluster_state:{state}", server.port())),
            }
        });
        let mut client = server.client();
        let reply = client.call(&["GET", "foo"]);
        assert!(reply.text().starts_with("CLUSTERDOWN"), "{reply:?}");
    }

    servers.insert(victim, stopped.start_again());
    let all: Vec<&Server> = servers.iter().collect();
    wait::until_ok("the returned node is taken back", FAILURE, || agree(&all));
    let mut client = servers[victim].client();
    assert_eq!(nodes::my_id(&mut client), id, "its id is in nodes.conf");
    for server in &servers {
        let view = nodes::nodes(&mut server.client()).expect("CLUSTER NODES");
        assert_eq!(view[&id].slots, before.slots, "port {}", server.port());
        assert_eq!(view[&id].config_epoch, before.config_epoch, "port {}", server.port());
    }
    check(&all);
    servers
}

#[test]
fn a_killed_node_is_failed_and_taken_back() {
    let servers = three_of_ours();
    kill_and_take_back(servers.into(), 1);
}

#[test]
fn a_mixed_cluster_agrees_and_survives_each_of_its_nodes() {
    let (ours, theirs) = (Program::subject(), Program::reference());
    let mut servers = vec![node(&theirs), node(&theirs), node(&ours)];
    create(&servers.iter().collect::<Vec<_>>());
    check(&servers.iter().collect::<Vec<_>>());
    for victim in 0..3 {
        servers = kill_and_take_back(servers, victim);
    }
    // A frozen one answers nothing although its sockets stay open.
    process::freeze(servers[2].pid());
    let frozen = servers[2].port();
    wait::until_ok("the frozen node is called failed by both Redis nodes", FAILURE, || {
        for server in &servers[..2] {
            let view = nodes::nodes(&mut server.client())?;
            if !view.values().any(|n| n.port == frozen && n.is("fail")) {
                return Err(format!("port {}: {view:?}", server.port()));
            }
        }
        Ok(())
    });
    process::thaw(servers[2].pid());
    let all: Vec<&Server> = servers.iter().collect();
    wait::until_ok("the thawed node is taken back", FAILURE, || agree(&all));
}

#[test]
fn slots_given_to_a_mixed_cluster_by_hand_are_known_everywhere() {
    let (ours, theirs) = (Program::subject(), Program::reference());
    let servers = [node(&ours), node(&theirs), node(&ours)];
    for other in &servers[1..] {
        let port = other.port().to_string();
        servers[0].client().call(&["CLUSTER", "MEET", "127.0.0.1", &port]).ok();
    }
    for (server, (first, last)) in servers.iter().zip([(0, 5460), (5461, 10922), (10923, 16383)]) {
        server.client().call(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]).ok();
    }
    // All three start at epoch 0: the collisions resolve themselves, without redis-cli's help.
    wait::until_ok("the nodes agree", AGREE, || agree(&servers.each_ref()));
    wait::until_ok("every primary has an epoch of its own", AGREE, || {
        let view = nodes::nodes(&mut servers[0].client())?;
        let mut epochs: Vec<u64> = view.values().map(|n| n.config_epoch).collect();
        epochs.sort_unstable();
        epochs.dedup();
        if epochs.len() == 3 {
            agree(&servers.each_ref())
        } else {
            Err(format!("{view:?}"))
        }
    });
    check(&servers.each_ref());
}

#[test]
fn a_clean_restart_keeps_nodes_conf() {
    let servers = Vec::from(three_of_ours());
    let views: Vec<_> =
        servers.iter().map(|s| nodes::nodes(&mut s.client()).expect("CLUSTER NODES")).collect();
    let ids: Vec<String> = servers.iter().map(|s| nodes::my_id(&mut s.client())).collect();
    let stopped: Vec<_> = servers.into_iter().map(Server::stop).collect();
    for node in &stopped {
        assert!(node.status.success(), "ended with {}", node.status);
        let text = std::fs::read_to_string(node.dir().join("nodes.conf")).expect("nodes.conf is in dir");
        assert!(text.contains("myself,master"), "{text}");
        assert!(text.contains("vars currentEpoch"), "{text}");
    }
    let servers: Vec<Server> = stopped.into_iter().map(|s| s.start_again()).collect();
    let all: Vec<&Server> = servers.iter().collect();
    wait::until_ok("the nodes agree after the restart", AGREE, || agree(&all));
    for (index, server) in servers.iter().enumerate() {
        let mut client = server.client();
        assert_eq!(nodes::my_id(&mut client), ids[index]);
        assert_eq!(nodes::nodes(&mut client).expect("CLUSTER NODES"), views[index]);
    }
}

#[test]
fn a_forgotten_node_stays_forgotten_though_others_gossip_of_it() {
    let program = Program::subject();
    let mut servers = Vec::from(three_of_ours());
    // A fourth one without slots, which may be forgotten without harm.
    servers.push(node(&program));
    let port = servers[3].port().to_string();
    servers[0].client().call(&["CLUSTER", "MEET", "127.0.0.1", &port]).ok();
    let all: Vec<&Server> = servers.iter().collect();
    wait::until_ok("four nodes agree", AGREE, || agree(&all));
    let id = nodes::my_id(&mut servers[3].client());

    let knows =
        |server: &Server| nodes::nodes(&mut server.client()).expect("CLUSTER NODES").contains_key(&id);
    let mut client = servers[0].client();
    assert!(client.call(&["CLUSTER", "FORGET", &nodes::my_id(&mut servers[0].client())]).is_error());
    for server in &servers[..3] {
        server.client().call(&["CLUSTER", "FORGET", &id]).ok();
    }
    // Had the blacklist not held, the first forgetters would know it again by the others' gossip.
    wait::until_ok("three nodes agree without the fourth", AGREE, || agree(&all[..3]));
    let again =
        wait::until(Duration::from_secs(6), || servers[..3].iter().find(|s| knows(s)).map(Server::port));
    assert_eq!(again, None, "a node that was told to forget knows it again");
    // Since 7.2 a node on the blacklist counts as forgotten already: another's FORGET may have come first.
    let again = client.call(&["CLUSTER", "FORGET", &id]);
    let unknown = Value::Error(format!("ERR Unknown node {id}"));
    assert_eq!(again, if program.version >= (7, 2) { Value::Simple("OK".into()) } else { unknown });
}

#[test]
fn the_local_launcher_starts_a_cluster_and_starts_again_on_its_directory() {
    if Program::subject().kind != Kind::Ringslot {
        // Only when the suites themselves are being proved.
        eprintln!("the subject is no ringslot and has no launcher");
        return;
    }
    let dir = ringslot_tests::server::TempDir::new("launcher");
    let mut cluster = ringslot_tests::launcher::Launcher::start(dir.path(), 3, 1);
    let ports = cluster.ports();
    let mut ids = Vec::new();
    wait::until_ok("the launched nodes agree", AGREE, || {
        ids.clear();
        for port in &ports {
            let mut client =
                Client::connect(&ringslot_tests::client::Address::Port(*port)).map_err(|e| e.to_string())?;
            let state = nodes::info(&mut client, "cluster_state").map_err(|e| e.to_string())?;
            if state != "ok" {
                return Err(format!("port {port}: {state}"));
            }
            ids.push(nodes::my_id(&mut client));
        }
        Ok(())
    });
    let text = redis_cli_ok(&["--cluster", "check", &format!("127.0.0.1:{}", ports[0])]);
    assert!(text.contains("[OK] All 16384 slots covered."), "{text}");
    assert!(cluster.interrupt().success(), "Ctrl-C ends it cleanly");
    for port in &ports {
        assert!(std::net::TcpStream::connect(("127.0.0.1", *port)).is_err(), "port {port} still listens");
    }
    let again = ringslot_tests::launcher::Launcher::start_at(dir.path(), ports[0], 3, 1);
    wait::until_ok("the nodes have their ids again", AGREE, || {
        for (port, id) in again.ports().iter().zip(&ids) {
            let mut client =
                Client::connect(&ringslot_tests::client::Address::Port(*port)).map_err(|e| e.to_string())?;
            let state = nodes::info(&mut client, "cluster_state").map_err(|e| e.to_string())?;
            let now = nodes::my_id(&mut client);
            if state != "ok" || now != *id {
                return Err(format!("port {port}: {state}, id {now}, was {id}"));
            }
        }
        Ok(())
    });
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let first = node(&Program::subject());
    let port = ringslot_tests::server::free_port();
    let mut command = Setup::subject(1).cluster().command(port, first.dir());
    let mut child = command
        .current_dir(first.dir())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let ended = wait::until(Duration::from_secs(20), || child.try_wait().ok().flatten());
    let _ = child.kill();
    let _ = child.wait();
    let status = ended.expect("nodes.conf is locked by the first, so the second ends at once");
    assert!(!status.success());
}
