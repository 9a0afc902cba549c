use super::*;
use crate::{Cluster, Output};

const NOW: u64 = 1_795_453_490_000;

/// The example of section 11, as Redis 7.2 wrote it.
const OF_REDIS_72: &str = "\
58b084472198cd896a8bf6a590ae277df611b7bd 127.0.0.1:17202@27202,host.example,tls-port=0,nodename=nodeA,shard-id=c76e175d6cd6d818b28a163daede1d59b13b9170 master - 0 1795453488362 2 connected 5461-10922
390f83e4e001f561dbf7158f7375ca4245232c26 127.0.0.1:17201@27201,,tls-port=0,shard-id=cbcb4a363a3d52f746b38400f3fddcd58c6afce7 myself,master - 0 1795453486000 1 connected 0-5460
vars currentEpoch 6 lastVoteEpoch 0
";

fn settings() -> Settings {
    Settings { client_port: 17201, ..Settings::default() }
}

fn load(text: &str) -> Result<Cluster, LoadError> {
    Cluster::load(text.as_bytes(), settings(), 1, NOW)
}

fn problem(text: &str) -> LoadProblem {
    load(text).map(|_| ()).unwrap_err().problem
}

fn written(cluster: &Cluster) -> String {
    String::from_utf8(cluster.nodes_conf()).unwrap()
}

#[test]
fn the_file_of_redis_is_written_back_as_redis_would_after_loading_it() {
    let mut cluster = load(OF_REDIS_72).unwrap();
    assert_eq!(cluster.my_id().as_str(), "390f83e4e001f561dbf7158f7375ca4245232c26");
    assert_eq!(cluster.my_shard_id().as_str(), "cbcb4a363a3d52f746b38400f3fddcd58c6afce7");
    assert_eq!(cluster.current_epoch(), 6);
    // On load, times become the present, and the other node's link is not up yet.
    let expected = OF_REDIS_72
        .replace("1795453488362 2 connected", &format!("{NOW} 2 disconnected"))
        .replace("1795453486000", &NOW.to_string());
    assert_eq!(written(&cluster), expected);
    let saves = std::iter::from_fn(|| cluster.poll_output()).filter(|out| matches!(out, Output::Save { .. }));
    assert_eq!(saves.count(), 0, "loading changes nothing");
}

#[test]
fn a_file_written_is_read_back_the_same() {
    let text = "\
1111111111111111111111111111111111111111 127.0.0.1:7000@17000,,tls-port=7443,shard-id=1111111111111111111111111111111111111111 myself,master,nofailover - 0 0 9 connected 0-1 5 7-16380 [5->-2222222222222222222222222222222222222222] [16383-<-2222222222222222222222222222222222222222]
2222222222222222222222222222222222222222 ::1:7001@17001,b,tls-port=0,nodename=n,shard-id=2222222222222222222222222222222222222222 master,fail - 0 0 8 disconnected 16383
3333333333333333333333333333333333333333 10.0.0.3:7002@17002,,tls-port=0,shard-id=2222222222222222222222222222222222222222 slave,fail? 2222222222222222222222222222222222222222 0 0 8 disconnected
4444444444444444444444444444444444444444 :0@0,,tls-port=0,shard-id=4444444444444444444444444444444444444444 master,noaddr - 0 0 0 disconnected
vars currentEpoch 12 lastVoteEpoch 11
";
    let settings = Settings { client_port: 7000, tls_port: 7443, no_failover: true, ..Settings::default() };
    let cluster = Cluster::load(text.as_bytes(), settings, 1, NOW).unwrap();
    assert_eq!(written(&cluster), text);
    assert_eq!(cluster.last_vote_epoch, 11);
}

#[test]
fn files_of_other_versions_are_read() {
    // 7.0: no auxiliary fields; 3.0: no bus port; Valkey 8: other words and fields. Blank lines do
    // not matter.
    let text = "\n\
1111111111111111111111111111111111111111 127.0.0.1:7000 myself,primary - 0 0 3 connected 0-10\n\n\
2222222222222222222222222222222222222222 127.0.0.1:7001@17001,host.b primary - 0 0 4 connected 11-12\n\
3333333333333333333333333333333333333333 127.0.0.1:7002@17002,,tls-port=0,client-ipv4=1.2.3.4,shard-id=3333333333333333333333333333333333333333 replica 4444444444444444444444444444444444444444 0 0 4 connected\n\
vars currentEpoch 1 lastVoteEpoch 0 someday 7\n";
    let cluster = load(text).unwrap();
    let nodes = cluster.nodes_text();
    assert!(
        nodes
            .contains("2222222222222222222222222222222222222222 127.0.0.1:7001@17001,host.b master - 0 0 4 "),
        "{nodes}"
    );
    assert!(nodes.contains("slave 4444444444444444444444444444444444444444 0 0 0 "), "{nodes}");
    assert!(
        nodes.contains("4444444444444444444444444444444444444444 :0@0 noflags - 0 0 0 disconnected\n"),
        "{nodes}"
    );
    assert_eq!(cluster.current_epoch(), 4, "raised to the greatest config epoch");
    let made_up = cluster.my_shard_id();
    assert!(written(&cluster).contains(made_up.as_str()));
}

#[test]
fn what_is_not_understood_stops_the_start_and_is_named() {
    let me = "1111111111111111111111111111111111111111 127.0.0.1:7000@17000 myself,master - 0 0 0 connected";
    let other = "2222222222222222222222222222222222222222 127.0.0.1:7001@17001";
    assert_eq!(problem(""), LoadProblem::Myself);
    assert_eq!(problem(&format!("{me}\n{other} myself,master - 0 0 0 connected")), LoadProblem::Myself);
    assert_eq!(problem("abc 127.0.0.1:1@2 myself,master - 0 0 0 connected"), LoadProblem::Id("abc".into()));
    assert_eq!(problem(&format!("{me}\n{other} master - 0 0")), LoadProblem::Fields);
    assert_eq!(problem(&format!("{me}\nvars currentEpoch")), LoadProblem::Fields);
    assert_eq!(problem(&format!("{me}\nvars currentEpoch x")), LoadProblem::Number("x".into()));
    assert_eq!(problem(&format!("{me}\n{other} mister - 0 0 0 x")), LoadProblem::Flag("mister".into()));
    assert_eq!(problem(&format!("{me} 16384")), LoadProblem::Slot("16384".into()));
    assert_eq!(problem(&format!("{me} 5-3")), LoadProblem::Slot("5-3".into()));
    assert_eq!(problem(&format!("{me} [5->-22]")), LoadProblem::Id("22".into()));
    assert_eq!(problem(&format!("{me} [5]")), LoadProblem::Slot("[5]".into()));
    assert_eq!(problem(&format!("{me} 0-9\n{other} master - 0 0 0 x 9")), LoadProblem::SlotTwice(9));
    assert_eq!(
        problem(&format!("{me}\n{other},h,new-thing=1 master - 0 0 0 x")),
        LoadProblem::Auxiliary("new-thing=1".into())
    );
    assert_eq!(
        problem(&format!("{me}\n{other},h,tls-port master - 0 0 0 x")),
        LoadProblem::Auxiliary("tls-port".into())
    );
    assert_eq!(
        problem("1111111111111111111111111111111111111111 127.0.0.1 myself,master - 0 0 0 connected"),
        LoadProblem::Address("127.0.0.1".into())
    );
    assert_eq!(
        problem(&format!(
            "{}\n{other} master - 0 0 0 x",
            me.replace("master -", "slave 2222222222222222222222222222222222222222")
        )),
        LoadProblem::IsReplica
    );
    assert_eq!(load(&format!("{me}\n{other} master - 0 0")).map(|_| ()).unwrap_err().line, 2);
}

#[test]
fn damaged_files_are_refused_or_read_but_never_panic() {
    let mut rng = Rng::new(7);
    for _ in 0..3000 {
        let mut bytes = OF_REDIS_72.as_bytes().to_vec();
        for _ in 0..1 + rng.below(6) {
            let place = rng.below(bytes.len());
            bytes[place] = b" ,-@:=[]0919a\n\xff"[rng.below(15)];
        }
        bytes.truncate(rng.below(bytes.len() + 1));
        let _ = Cluster::load(&bytes, settings(), 1, NOW);
    }
}

#[test]
fn a_new_node_saves_its_names_before_anything_else() {
    let mut cluster = Cluster::new(settings(), 5, NOW);
    let Some(Output::Save { version: 1, text, fsync: true }) = cluster.poll_output() else { panic!() };
    let again = Cluster::load(&text, settings(), 6, NOW).unwrap();
    assert_eq!((again.my_id(), again.my_shard_id()), (cluster.my_id(), cluster.my_shard_id()));
}
