//! Bytes of another node: cut into frames the same however they arrive, and read or refused, never fatal.
//! What we write of a message that we have read is read again, and written the same.

use cluster::codec::Packet;
use cluster::packet_reader::{PacketReader, Violation};

const LONGEST: usize = 1 << 20;

/// The input once as it is, and once with its first fields put right, for few random inputs get past them.
pub fn check(input: &[u8]) {
    let whole = frames([input]);
    assert_eq!(frames(input.chunks(1)), whole, "byte by byte");
    assert_eq!(frames(input.chunks(7)), whole, "in sevens");
    assert_eq!(frames(input.chunks(2000)), whole, "in large pieces");
    whole.0.iter().for_each(|frame| check_frame(frame));

    if input.len() >= 8 {
        let mut frame = input.to_vec();
        frame[..4].copy_from_slice(b"RCmb");
        frame[4..8].copy_from_slice(&(input.len() as u32).to_be_bytes());
        if frame.len() >= 10 {
            frame[8..10].copy_from_slice(&[0, 1]);
        }
        check_frame(&frame);
    }
}

fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<Violation>) {
    let (mut reader, mut found) = (PacketReader::new(), Vec::new());
    for piece in pieces {
        reader.feed(piece);
        loop {
            match reader.next_frame(LONGEST) {
                Ok(Some(frame)) => found.push(frame),
                Ok(None) => break,
                Err(violation) => return (found, Some(violation)),
            }
        }
    }
    (found, None)
}

/// Reading forgets what was malformed, so the message itself need not come back (`gossip_dropped` does not);
/// what we make of it has to.
fn check_frame(frame: &[u8]) {
    if let Ok(packet) = Packet::decode(frame) {
        let written = packet.encode();
        let again = Packet::decode(&written).expect("we write what can be read");
        assert_eq!(again.encode(), written, "{packet:?}");
    }
}
