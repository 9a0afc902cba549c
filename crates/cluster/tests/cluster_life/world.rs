//! Several machines, and between them a network that delivers in order, loses nothing unless told
//! to, and takes a millisecond. Time passes only in `run_for` and `run_until`.

use cluster::{Cluster, ClusterState, LinkId, Output, Settings};
use slot::{Slot, SlotSet, SLOTS};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

pub const START: u64 = 1_800_000_000_000;
pub const NODE_TIMEOUT: u64 = 2000;
const LATENCY: u64 = 1;

pub struct World {
    pub now: u64,
    pub members: Vec<Member>,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    seed: u64,
    wires: Vec<Wire>,
    /// Pairs, lower index first, that cannot hear each other.
    cuts: BTreeSet<(usize, usize)>,
}

pub struct Member {
    cluster: Option<Cluster>,
    incarnation: u32,
    pub ip: String,
    pub settings: Settings,
    /// nodes.conf as it is on disk.
    pub disk: Vec<u8>,
    /// By link: the wire and which of its ends is here.
    links: BTreeMap<LinkId, (usize, usize)>,
    inbound: u64,
    /// Outbound links that are still wanted and not there yet.
    dialing: BTreeSet<LinkId>,
    /// Whether new routing versions are applied by themselves, a moment later.
    pub applies_routing: bool,
    /// Stopped, as by SIGSTOP: hears nothing, says nothing, its sockets stay.
    frozen: bool,
    pub dropped: SlotSet,
    pub published: Vec<(bool, String, String)>,
    pub log: String,
}

struct Wire {
    ends: [(usize, u32, LinkId); 2],
    open: bool,
}

enum Event {
    Tick(usize, u32),
    Dial { from: usize, incarnation: u32, link: LinkId, ip: String, port: u16 },
    DialFailed { to: usize, incarnation: u32, link: LinkId },
    Connected { wire: usize },
    Bytes { wire: usize, end: usize, bytes: std::sync::Arc<[u8]> },
    Closed { wire: usize, end: usize },
    Applied { to: usize, incarnation: u32, version: u64 },
}

impl World {
    pub fn new(count: usize) -> World {
        World::with(count, |_| Settings::default())
    }

    pub fn with(count: usize, settings: impl Fn(usize) -> Settings) -> World {
        World::seeded(0, count, settings)
    }

    pub fn seeded(seed: u64, count: usize, settings: impl Fn(usize) -> Settings) -> World {
        let mut world = World {
            now: START,
            members: Vec::new(),
            events: BTreeMap::new(),
            sequence: 0,
            seed,
            wires: Vec::new(),
            cuts: BTreeSet::new(),
        };
        for index in 0..count {
            let settings = Settings { node_timeout_ms: NODE_TIMEOUT, client_port: 7000, ..settings(index) };
            world.members.push(Member {
                cluster: None,
                incarnation: 0,
                ip: format!("10.0.0.{}", index + 1),
                settings,
                disk: Vec::new(),
                links: BTreeMap::new(),
                inbound: 0,
                dialing: BTreeSet::new(),
                applies_routing: true,
                frozen: false,
                dropped: SlotSet::new(),
                published: Vec::new(),
                log: String::new(),
            });
            world.start(index);
        }
        world
    }

    /// A cluster of primaries that share all slots and have come to rest.
    pub fn formed(count: usize) -> World {
        let mut world = World::new(count);
        world.form();
        world
    }

    pub fn form(&mut self) {
        let count = self.members.len();
        for index in 0..count {
            self.with_node(index, |cluster, now| {
                cluster.set_config_epoch(now, index as i64 + 1).unwrap();
                cluster.add_slots(now, &share(index, count)).unwrap();
            });
        }
        for index in 1..count {
            self.meet(index, 0);
        }
        let members: Vec<usize> = (0..count).collect();
        self.run_until(30_000, "the cluster forms", |world| world.agree(&members) && world.all_ok(&members));
    }

    // What a test does.

    /// Starts a member, from its disk if there is anything on it.
    pub fn start(&mut self, index: usize) {
        let seed = 1_000_000 * self.seed + 1000 * index as u64 + u64::from(self.members[index].incarnation);
        let now = self.now;
        let member = &mut self.members[index];
        let settings = member.settings.clone();
        member.incarnation += 1;
        member.dialing.clear();
        member.cluster = Some(if member.disk.is_empty() {
            Cluster::new(settings, seed, now)
        } else {
            Cluster::load(&member.disk, settings, seed, now).expect("it wrote the file itself")
        });
        let incarnation = member.incarnation;
        self.pump(index);
        // Every machine ticks at its own moment.
        self.after(1 + 37 * index as u64 % 100, Event::Tick(index, incarnation));
    }

    /// As by SIGKILL: its sockets are closed by the kernel.
    pub fn kill(&mut self, index: usize) {
        self.members[index].cluster = None;
        for (_, (wire, end)) in std::mem::take(&mut self.members[index].links) {
            self.wires[wire].open = false;
            self.after(LATENCY, Event::Closed { wire, end: 1 - end });
        }
    }

    pub fn is_up(&self, index: usize) -> bool {
        self.members[index].cluster.is_some()
    }

    pub fn freeze(&mut self, index: usize) {
        self.members[index].frozen = true;
    }

    pub fn thaw(&mut self, index: usize) {
        self.members[index].frozen = false;
    }

    /// No byte passes between these and those.
    pub fn cut(&mut self, these: &[usize], those: &[usize]) {
        for &a in these {
            for &b in those {
                self.cuts.insert((a.min(b), a.max(b)));
            }
        }
    }

    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    pub fn meet(&mut self, index: usize, other: usize) {
        let ip = self.members[other].ip.clone();
        let port = i64::from(self.members[other].settings.client_port);
        self.with_node(index, |cluster, now| cluster.meet(now, ip.as_bytes(), port, None).unwrap());
    }

    pub fn with_node<T>(&mut self, index: usize, act: impl FnOnce(&mut Cluster, u64) -> T) -> T {
        let now = self.now;
        let result = act(self.members[index].cluster.as_mut().expect("the member is up"), now);
        self.pump(index);
        result
    }

    // What a test looks at.

    pub fn node(&self, index: usize) -> &Cluster {
        self.members[index].cluster.as_ref().expect("the member is up")
    }

    pub fn id(&self, index: usize) -> String {
        self.node(index).my_id().to_string()
    }

    /// Its line about another, as fields: id, address, flags, primary, ping, pong, epoch, link, slots...
    pub fn line(&self, index: usize, id: &str) -> Option<Vec<String>> {
        let text = self.node(index).nodes_text();
        let line = text.lines().find(|line| line.starts_with(id))?;
        Some(line.split(' ').map(str::to_owned).collect())
    }

    pub fn flags(&self, index: usize, id: &str) -> String {
        self.line(index, id).map(|line| line[2].clone()).unwrap_or_default()
    }

    pub fn slots_of(&self, index: usize, id: &str) -> String {
        self.line(index, id).map(|line| line[8..].join(" ")).unwrap_or_default()
    }

    pub fn is_ok(&self, index: usize) -> bool {
        self.node(index).state() == ClusterState::Ok
    }

    pub fn all_ok(&self, members: &[usize]) -> bool {
        members.iter().all(|&index| self.is_ok(index))
    }

    /// Whether all have the same picture: names, addresses, roles, epochs, slots, and nobody in handshake.
    pub fn agree(&self, members: &[usize]) -> bool {
        let picture = |index: usize| -> BTreeSet<String> {
            let text = self.node(index).nodes_text();
            let line = |line: &str| {
                let fields: Vec<&str> = line.split(' ').collect();
                let flags = fields[2].replace("myself,", "");
                format!(
                    "{} {} {flags} {} {} {}",
                    fields[0],
                    fields[1],
                    fields[3],
                    fields[6],
                    fields[8..].join(" ")
                )
            };
            text.lines().map(line).collect()
        };
        let first = picture(members[0]);
        first.len() == members.len() && members.iter().all(|&index| picture(index) == first)
    }

    pub fn describe(&self) -> String {
        let mut out = String::new();
        for (index, member) in self.members.iter().enumerate() {
            let Some(cluster) = &member.cluster else { continue };
            let _ =
                writeln!(out, "member {index} {:?}\n{}{}", cluster.state(), cluster.nodes_text(), member.log);
        }
        out
    }

    // Time.

    pub fn run_for(&mut self, ms: u64) {
        let end = self.now + ms;
        while self.events.first_key_value().is_some_and(|(&(at, _), _)| at <= end) {
            let ((at, _), event) = self.events.pop_first().expect("there is a first");
            self.now = at;
            self.handle(event);
        }
        self.now = end;
    }

    /// How long it took.
    #[track_caller]
    pub fn run_until(&mut self, within_ms: u64, what: &str, mut holds: impl FnMut(&World) -> bool) -> u64 {
        let begin = self.now;
        while !holds(self) {
            assert!(self.now - begin < within_ms, "{what}: not within {within_ms} ms\n{}", self.describe());
            self.run_for(20);
        }
        self.now - begin
    }

    /// It holds all that time.
    #[track_caller]
    pub fn run_while(&mut self, ms: u64, what: &str, holds: impl Fn(&World) -> bool) {
        let end = self.now + ms;
        while self.now < end {
            self.run_for(20);
            assert!(holds(self), "{what}: no longer after {} ms\n{}", ms - (end - self.now), self.describe());
        }
    }

    fn after(&mut self, ms: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + ms, self.sequence), event);
    }

    fn is_cut(&self, a: usize, b: usize) -> bool {
        self.cuts.contains(&(a.min(b), a.max(b)))
    }

    fn runs(&self, index: usize, incarnation: u32) -> bool {
        let member = &self.members[index];
        member.cluster.is_some() && member.incarnation == incarnation
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Tick(index, incarnation) => {
                if self.runs(index, incarnation) {
                    if !self.members[index].frozen {
                        self.with_node(index, |cluster, now| cluster.handle_tick(now));
                    }
                    self.after(100, Event::Tick(index, incarnation));
                }
            }
            Event::Dial { from, incarnation, link, ip, port } => {
                self.dial(from, incarnation, link, &ip, port)
            }
            Event::DialFailed { to, incarnation, link } => {
                if self.runs(to, incarnation) {
                    self.with_node(to, |cluster, now| cluster.handle_connect_failed(now, link));
                }
            }
            Event::Connected { wire } => {
                let (index, incarnation, link) = self.wires[wire].ends[0];
                if self.wires[wire].open && self.runs(index, incarnation) {
                    let ip = self.members[index].ip.clone();
                    self.with_node(index, |cluster, now| cluster.handle_connected(now, link, &ip));
                }
            }
            Event::Bytes { wire, end, bytes } => {
                let (index, incarnation, link) = self.wires[wire].ends[end];
                let other = self.wires[wire].ends[1 - end].0;
                let is_lost = self.is_cut(index, other) || self.members[index].frozen;
                if self.wires[wire].open && self.runs(index, incarnation) && !is_lost {
                    self.with_node(index, |cluster, now| cluster.handle_bytes(now, link, &bytes));
                }
            }
            Event::Closed { wire, end } => {
                let (index, incarnation, link) = self.wires[wire].ends[end];
                let other = self.wires[wire].ends[1 - end].0;
                if self.runs(index, incarnation) && !self.is_cut(index, other) {
                    self.members[index].links.remove(&link);
                    self.with_node(index, |cluster, now| cluster.handle_link_closed(now, link));
                }
            }
            Event::Applied { to, incarnation, version } => {
                if self.runs(to, incarnation) {
                    self.with_node(to, |cluster, now| cluster.handle_routing_applied(now, version));
                }
            }
        }
    }

    fn dial(&mut self, from: usize, incarnation: u32, link: LinkId, ip: &str, port: u16) {
        if !self.runs(from, incarnation) || !self.members[from].dialing.contains(&link) {
            return;
        }
        let bus_port = |member: &Member| member.settings.announced_bus_port();
        let target = self.members.iter().position(|member| member.ip == ip && bus_port(member) == port);
        let Some(to) = target.filter(|&to| self.members[to].cluster.is_some()) else {
            return self.after(LATENCY, Event::DialFailed { to: from, incarnation, link });
        };
        if self.is_cut(from, to) {
            // Packets into nowhere: the kernel tries again, the caller waits.
            let (ip, port) = (ip.to_owned(), port);
            return self.after(200, Event::Dial { from, incarnation, link, ip, port });
        }
        self.members[from].dialing.remove(&link);
        let wire = self.wires.len();
        let member = &mut self.members[to];
        member.inbound += 1;
        let inbound = LinkId::inbound(member.inbound);
        member.links.insert(inbound, (wire, 1));
        let (to_incarnation, to_ip) = (member.incarnation, member.ip.clone());
        self.members[from].links.insert(link, (wire, 0));
        self.wires
            .push(Wire { ends: [(from, incarnation, link), (to, to_incarnation, inbound)], open: true });
        self.after(LATENCY, Event::Connected { wire });
        let from_ip = self.members[from].ip.clone();
        // The kernel accepts even for a process that is stopped; it hears of it late, which makes
        // no difference here.
        self.with_node(to, |cluster, now| cluster.handle_inbound(now, inbound, &from_ip, &to_ip));
    }

    /// Carries out what a machine wants done, in order.
    fn pump(&mut self, index: usize) {
        let incarnation = self.members[index].incarnation;
        while let Some(output) =
            self.members[index].cluster.as_mut().and_then(|cluster| cluster.poll_output())
        {
            let now = self.now;
            match output {
                Output::Save { version, text, .. } => {
                    let member = &mut self.members[index];
                    member.disk = text;
                    member.cluster.as_mut().expect("it is up").handle_saved(now, version, Ok(()));
                }
                Output::Routing(map) => {
                    if self.members[index].applies_routing {
                        self.after(LATENCY, Event::Applied { to: index, incarnation, version: map.version });
                    }
                }
                Output::DropKeys(slots) => self.members[index].dropped.union_with(&slots),
                Output::Connect { link, ip, port } => {
                    self.members[index].dialing.insert(link);
                    self.after(LATENCY, Event::Dial { from: index, incarnation, link, ip, port });
                }
                Output::Send { link, bytes } => {
                    if let Some(&(wire, end)) = self.members[index].links.get(&link) {
                        self.after(LATENCY, Event::Bytes { wire, end: 1 - end, bytes });
                    }
                }
                Output::Close { link } => {
                    self.members[index].dialing.remove(&link);
                    if let Some((wire, end)) = self.members[index].links.remove(&link) {
                        self.wires[wire].open = false;
                        self.after(LATENCY, Event::Closed { wire, end: 1 - end });
                    }
                }
                Output::Publish { shard, channel, message } => {
                    let text = |bytes| String::from_utf8(bytes).expect("tests publish text");
                    self.members[index].published.push((shard, text(channel), text(message)));
                }
                Output::Log { level, text } => {
                    let at = now - START;
                    let _ = writeln!(self.members[index].log, "  {at:>7} {level:?} {text}");
                }
            }
        }
    }
}

/// The `index`th of `count` equal parts of all slots.
pub fn share(index: usize, count: usize) -> Vec<Slot> {
    let bound = |part: usize| (usize::from(SLOTS) * part / count) as u16;
    (bound(index)..bound(index + 1)).filter_map(Slot::new).collect()
}
