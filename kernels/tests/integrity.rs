//! The check of a blob's CRC in pieces.
#![cfg(feature = "alloc")]

use thumbnet::blob::{Aligned, BlobError, Integrity};
use thumbnet::{Network, sequential};

sequential! {
    struct Model: [2, 2, 1] { f: Flatten, d: Dense { units: 3 } }
}

/// A blob of [`Model`], aligned.
fn blob() -> Aligned<[u8; 1024]> {
    use thumbnet::blob::{About, Family, write};
    use thumbnet::quantize::{Calibrator, Range, quantize};

    let weights = [0.5; Model::PARAMETERS];
    let mut calibrator = Calibrator::new(Model::GRAPH, Range::MinMax);
    let mut memory = vec![0.0; calibrator.memory_len(1)];
    calibrator.observe(thumbnet::arch::Backend::SCALAR, &weights, &[0.1, 0.5, 0.3, 0.9], &mut memory).unwrap();
    let network = quantize(&Model::GRAPH, &weights, &calibrator.finish()).unwrap();
    let bytes = write(&Model::GRAPH, &network, Family::Plain, &About::default()).unwrap();
    let mut blob = Aligned([0; 1024]);
    blob.0[..bytes.len()].copy_from_slice(&bytes);
    blob
}

/// Checks in pieces of that many bytes; how many it took.
fn in_pieces(blob: &[u8], bytes: usize) -> Result<usize, BlobError> {
    let mut integrity = Integrity::new(blob)?;
    let mut pieces = 1;
    while !integrity.advance(bytes)? {
        pieces += 1;
    }
    Ok(pieces)
}

#[test]
fn pieces_of_any_size_find_a_changed_byte() {
    let mut blob = blob();
    let pieces = in_pieces(&blob.0, 1).unwrap();
    for bytes in [2, 3, 39, 40, 41, 80, 4096] {
        assert_eq!(in_pieces(&blob.0, bytes), Ok(pieces.div_ceil(bytes)), "{bytes} bytes at a time");
    }
    for at in [40, pieces / 2, pieces - 1] {
        blob.0[at] ^= 4;
        for bytes in [1, 41, 4096] {
            let error = in_pieces(&blob.0, bytes).unwrap_err();
            assert!(matches!(error, BlobError::Corrupt { .. }), "byte {at}, {bytes} at a time: {error}");
        }
        blob.0[at] ^= 4;
    }
    assert!(matches!(Integrity::new(&blob.0[..pieces]), Err(BlobError::Truncated { .. })));
    assert_eq!(Integrity::check(&blob.0), Ok(()));
}

#[test]
fn a_trusted_blob_is_read_with_another_crc() {
    let mut blob = blob();
    let crc = in_pieces(&blob.0, 1).unwrap();
    blob.0[crc] ^= 1;
    assert!(matches!(Model::from_blob(&blob.0), Err(BlobError::Corrupt { .. })));
    Model::from_trusted_blob(&blob.0).unwrap();
    // All else is looked at: the kind of the first step.
    let records = Model::from_trusted_blob(&blob.0).unwrap().parts().header.records.0 as usize;
    blob.0[records] = 9;
    assert_eq!(Model::from_trusted_blob(&blob.0).unwrap_err(), BlobError::Architecture { layer: "d" });
}
