//! A checkpoint that says of itself that it is whole, of any graph.
#![no_main]

use host_train::{
    checkpoint::{self, Checkpoint},
    model::About,
};
use libfuzzer_sys::fuzz_target;
use thumbnet::{Network, graph::Node};
use thumbnet_fuzz::{Source, edited, follow, nodes};
use thumbnet_models::MnistSmall;

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// The bytes of a checkpoint before the CRC, with a length that is not yet right.
fn unsealed(network: &str, nodes: &[Node<'_>], weights: &[u8]) -> Vec<u8> {
    let prefix = [checkpoint::MAGIC.as_slice(), &[checkpoint::VERSION], &[0; 8]].concat();
    let mut bytes = postcard::to_extend(&(network, nodes, About::default(), weights), prefix).expect("memory takes it");
    bytes.extend([0; 4]);
    bytes
}

fuzz_target!(|data: &[u8]| {
    let Some((how, data)) = data.split_first() else { return };
    let (head, tail) = data.split_at(data.len().min(512));
    let mut bytes = if how & 6 == 0 {
        unsealed("MnistSmall", MnistSmall::GRAPH.nodes, &vec![0; 4 * MnistSmall::PARAMETERS])
    } else {
        unsealed("Any", &nodes(&mut Source::new(head)), tail)
    };
    if how & 1 != 0 {
        bytes = edited(&bytes, tail);
    }
    // Behind the magic and the version: the length. At the end: the CRC of all before it.
    if let Some(covered) = bytes.len().checked_sub(4) {
        let len = bytes.len() as u64;
        if let Some(length) = bytes.get_mut(9..17) {
            length.copy_from_slice(&len.to_le_bytes());
        }
        let crc = CRC.checksum(&bytes[..covered]);
        bytes[covered..].copy_from_slice(&crc.to_le_bytes());
    }
    if let Ok(checkpoint) = Checkpoint::read(&bytes) {
        follow(&checkpoint.graph());
        assert_eq!(checkpoint.weights().len(), checkpoint.graph().parameters());
        let _ = checkpoint.weights_of(&MnistSmall::GRAPH);
    }
});
