//! Crashes, stops and partitions at random, from seeds: what never may happen does not, and once they end all is well.

use crate::world::{World, NODE_TIMEOUT};
use cluster::Settings;

const COUNT: usize = 5;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound) as usize
    }
}

#[test]
fn a_cluster_survives_what_it_is_put_through() {
    for seed in 1..=30_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut world = World::seeded(seed, COUNT, |_| Settings::default());
        world.form();
        let before: Vec<(String, String)> =
            (0..COUNT).map(|index| (world.id(index), world.slots_of(0, &world.id(index)))).collect();
        let mut epochs = [0; COUNT];
        for _ in 0..30 {
            let victim = random.below(COUNT as u64);
            match random.below(8) {
                0 | 1 if world.is_up(victim) => world.kill(victim),
                0..=3 if !world.is_up(victim) => world.start(victim),
                2 => world.freeze(victim),
                3 => (0..COUNT).for_each(|index| world.thaw(index)),
                4 => world.cut(&[victim], &[(victim + 1) % COUNT]),
                5 => {
                    world.cut(&[victim, (victim + 1) % COUNT], &[(victim + 2) % COUNT, (victim + 3) % COUNT])
                }
                6 if world.is_up(victim) => {
                    world.with_node(victim, |cluster, now| cluster.bump_epoch(now));
                }
                _ => world.heal(),
            }
            world.run_for(100 + random.below(2 * NODE_TIMEOUT) as u64);
            for (index, epoch) in epochs.iter_mut().enumerate().filter(|&(index, _)| world.is_up(index)) {
                let (current, mine) =
                    (world.node(index).current_epoch(), world.node(index).my_config_epoch());
                assert!(mine >= *epoch && current >= mine, "seed {seed}: an epoch went back, or ran ahead");
                *epoch = mine;
            }
        }
        world.heal();
        for index in 0..COUNT {
            world.thaw(index);
            if !world.is_up(index) {
                world.start(index);
            }
        }
        let members: Vec<usize> = (0..COUNT).collect();
        world.run_until(15 * NODE_TIMEOUT, &format!("seed {seed}: all is well in the end"), |world| {
            world.agree(&members) && world.all_ok(&members)
        });
        for (index, (id, slots)) in before.iter().enumerate() {
            assert_eq!((world.id(index), world.slots_of(0, id)), (id.clone(), slots.clone()), "seed {seed}");
            assert!(world.members[index].dropped.is_empty(), "seed {seed}: nobody else ever claimed them");
        }
    }
}
