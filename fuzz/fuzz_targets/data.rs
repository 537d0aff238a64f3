//! Tables and NumPy's arrays, plain and in archives, for a network that takes something like them.
#![no_main]

use std::io::Write;

use host_train::data::{self, Expected, Options, Outputs, Samples};
use libfuzzer_sys::fuzz_target;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use thumbnet::geometry::Shape;
use thumbnet_fuzz::{Source, edited, file};

/// Two recordings of a few rows, with names and with quotes.
const TABLE: &[u8] = b"recording,x,\"y\",label\n1,0.5,-2,up\n1,1e3,4,up\n1,.25,6,up\n\
                      2,7,8,\"down\"\n2,9,-1,down\n2,3,5,down\n";
/// The same without names.
const NUMBERS: &[u8] = b"0.5,-2,0\n1,4,1\n2,6,0\n3,8,1\n";

/// A file as NumPy writes it.
fn npy(kind: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:117}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), elements].concat()
}

/// An archive as NumPy writes it, not compressed.
fn npz(arrays: [(&str, &[u8]); 2]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut bytes);
    for (name, array) in arrays {
        let (mut entry, config) = archive
            .new_file(format!("{name}.npy"))
            .compression_method(CompressionMethod::STORE)
            .start()
            .expect("memory takes it");
        let mut writer = config.wrap(&mut entry);
        writer.write_all(array).expect("memory takes it");
        let (_, descriptor) = writer.finish().expect("memory takes it");
        entry.finish(descriptor).expect("memory takes it");
    }
    archive.finish().expect("memory takes it");
    bytes
}

fuzz_target!(|bytes: &[u8]| {
    let (head, tail) = bytes.split_at(bytes.len().min(16));
    let mut source = Source::new(head);
    let x = npy("<f4", "(4, 2)", &[0; 32]);
    let y = npy("|u1", "(4,)", &[0, 1, 0, 1]);
    let (suffix, bytes) = match source.between(0, 4) {
        0 => (".csv", edited(TABLE, tail)),
        1 => (".csv", edited(NUMBERS, tail)),
        2 => (".tsv", edited(TABLE, tail).iter().map(|&byte| if byte == b',' { b'\t' } else { byte }).collect()),
        3 => (".npz", npz([("x", &edited(&x, tail)), ("y", &y)])),
        _ => (".npz", edited(&npz([("x", &x), ("y", &y)]), tail)),
    };
    let outputs = match source.between(0, 2) {
        0 => Outputs::Classes(2),
        1 => Outputs::Values(source.between(1, 3)),
        _ => Outputs::Input,
    };
    let input = if source.one_in(2) { Shape::vector(2) } else { Shape::new(1, source.between(1, 3), 2) };
    let window_step = source.one_in(2).then(|| source.between(0, 4));
    let options = Options { window_step, ..Options::default() };
    let file = file(&bytes, suffix);
    if let Ok(halves) = data::load(file.path(), Expected { input, outputs }, &options) {
        let mut values = vec![0.0; input.len()];
        for half in [&halves.train, &halves.test] {
            assert!(half.shape() == input && half.len() > 0);
            for sample in 0..half.len() {
                half.read(sample, &mut values);
                assert!(values.iter().all(|value| value.is_finite()));
            }
        }
    }
});
