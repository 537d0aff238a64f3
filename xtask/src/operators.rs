//! docs/operators.md: what each kind of layer takes on each core, from benches/device.json, beside CMSIS-NN's.

use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;
use thousands::Separable;

use crate::shell::root;

/// The columns: cores.
const CORES: [(&str, &str); 4] =
    [("m4", "Cortex-M4, M7, M33"), ("m55", "Cortex-M55"), ("m3", "Cortex-M3"), ("m0", "Cortex-M0")];

/// A layer that is measured.
struct Row {
    network: &'static str,
    layer: &'static str,
    text: &'static str,
    /// CMSIS-NN's instructions on each core, as [`HEAD`] says, with the pooling behind a convolution; 0 where they were
    /// not counted.
    cmsis: [u64; 4],
}

const fn row(network: &'static str, layer: &'static str, text: &'static str, cmsis: [u64; 4]) -> Row {
    Row { network, layer, text, cmsis }
}

#[rustfmt::skip]
const ROWS: [Row; 56] = [
    row("small", "conv1", "Conv2D 3x3, 1 to 8 channels, 28x28, pooled 2x2", [786_698, 311_635, 775_934, 1_671_397]),
    row("small", "conv2", "Conv2D 3x3, 8 to 16, 14x14, pooled 2x2", [635_001, 136_764, 837_217, 2_067_984]),
    row("pooled", "c1", "Conv2D 3x3, 3 to 16, 32x32, pooled 2x2", [2_083_454, 577_213, 2_363_604, 5_749_588]),
    row("pooled", "c2", "Conv2D 3x3, 16 to 32, 16x16, pooled 2x2", [2_448_791, 379_769, 3_356_273, 8_690_291]),
    row("pooled", "c3", "Conv2D 3x3, 32 to 64, 8x8, pooled 2x2", [2_116_599, 276_381, 2_967_417, 7_837_423]),
    row("strided", "c1", "Conv2D 3x3, 3 to 16, 32x32", [1_888_391, 531_436, 2_232_269, 5_152_363]),
    row("strided", "c2", "Conv2D 3x3, 16 to 32, 32x32, strides 2", [2_358_507, 363_754, 3_244_360, 8_403_212]),
    row("strided", "c3", "Conv2D 3x3, 32 to 64, 16x16, strides 2", [2_073_686, 270_043, 2_915_397, 7_696_810]),
    row("strided", "c4", "Conv2D 1x1, 64 to 64, 8x8, strides 2", [187_209, 24_102, 251_786, 534_404]),
    row("unpooled", "c1", "Conv2D 3x3, 16 to 16, 32x32", [5_147_544, 846_824, 7_088_726, 17_803_522]),
    row("unpooled", "c2", "Conv2D 5x5, 16 to 8, 32x32, strides 3 and 6", [0; 4]),
    row("unpooled", "c3", "Conv2D 1x5, 8 to 32, to a width of 1", [25_864, 8_361, 38_989, 126_652]),
    row("unpooled", "c4", "Conv2D 3x1, 32 to 32, a width of 1", [0; 4]),
    row("pointwise", "c1", "Conv2D 1x1, 32 to 64, 24x24", [2_966_807, 650_989, 4_099_818, 10_056_043]),
    row("pointwise", "c2", "Conv2D 1x1, 64 to 16, 24x24", [1_162_655, 217_837, 1_763_850, 4_138_179]),
    row("pointwise", "c3", "Conv2D 1x1, 16 to 8, 24x24", [265_739, 73_837, 327_866, 851_111]),
    row("pointwise", "c4", "Conv2D 1x1, 8 to 3, 24x24", [76_131, 26_655, 78_770, 207_621]),
    row("pointwise", "c5", "Conv2D 3x3, 3 to 1, 24x24", [124_096, 69_336, 157_170, 304_399]),
    row("sequence", "c1", "Conv2D 1x8, 3 to 32, 1x128, pooled 1x2", [392_533, 104_496, 464_166, 1_192_860]),
    row("sequence", "c2", "Conv2D 1x8, 32 to 64, 1x64, pooled 1x2", [1_887_717, 250_321, 2_659_317, 6_982_742]),
    row("sequence", "c3", "Conv2D 1x3, 64 to 32, 1x32", [368_049, 51_987, 513_311, 1_346_648]),
    row("spectrum", "c1", "Conv2D 10x4, 1 to 64, 49x10, strides 2", [1_012_224, 269_438, 1_242_698, 3_012_970]),
    row("spectrum", "c2", "Conv2D 1x1, 64 to 64, 25x5", [1_022_775, 186_792, 1_546_602, 3_610_731]),
    row("spectrum", "c3", "Conv2D 3x3, 64 to 32, 25x5, pooled 5x5", [4_076_409, 494_731, 5_779_873, 15_247_905]),
    row("camera", "c1", "Conv2D 3x3, 3 to 8, 96x96, strides 2", [2_745_171, 869_166, 3_171_343, 6_749_380]),
    row("camera", "c2", "Conv2D 3x3, 8 to 16, strides 2, pooled 3x3 by 2", [2_009_218, 422_602, 2_591_396, 6_556_272]),
    row("camera", "c3", "Conv2D 3x3, 16 to 24, 12x12, pooled 3x3", [1_070_055, 169_945, 1_455_713, 3_756_825]),
    row("small", "dense1", "Dense, 784 to 32", [48_486, 4_389, 106_317, 159_877]),
    row("small", "dense2", "Dense, 32 to 10, and softmax", [1_100, 344, 1_831, 3_110]),
    row("pooled", "d", "Dense, 1024 to 10, and softmax", [19_700, 2_080, 43_495, 66_598]),
    row("sequence", "d1", "Dense, 1024 to 64", [125_702, 11_037, 275_767, 403_348]),
    row("sequence", "d2", "Dense, 64 to 6, and softmax", [1_048, 319, 1_934, 2_977]),
    row("spectrum", "d", "Dense, 160 to 12, and softmax", [4_186, 564, 8_542, 12_741]),
    row("camera", "d", "Dense, 384 to 2, and softmax", [1_596, 367, 3_657, 6_353]),
    row("ad", "dense1", "Dense, 640 to 128", [159_174, 14_253, 346_349, 508_527]),
    row("ad", "dense2", "Dense, 128 to 128", [36_294, 4_013, 72_941, 111_215]),
    row("ad", "dense5", "Dense, 128 to 8", [2_334, 383, 4_781, 8_049]),
    row("ad", "dense6", "Dense, 8 to 128", [7_430, 1_773, 8_861, 18_095]),
    row("ad", "out", "Dense, 128 to 640", [181_190, 19_501, 363_703, 550_684]),
    row("depthwise", "same", "DepthwiseConv2D 3x3, 48x48x16", [2_800_350, 1_144_839, 3_435_321, 5_975_424]),
    row("depthwise", "half", "DepthwiseConv2D 3x3, 48x48x16, strides 2", [566_323, 224_364, 581_949, 1_320_576]),
    row("depthwise", "row", "DepthwiseConv2D 1x7, 24x24x16", [658_118, 197_238, 913_115, 1_642_859]),
    row("depthwise", "column", "DepthwiseConv2D 7x1, 24x24x16", [682_086, 194_959, 783_298, 1_636_049]),
    row("depthwise", "large", "DepthwiseConv2D 5x5, 24x24x16", [0; 4]),
    row("depthwise", "two", "DepthwiseConv2D 3x3, 20x20x16, depth multiplier 2", [0; 4]),
    row("depthwise", "six", "DepthwiseConv2D 3x3, 18x18x6", [144_249, 92_485, 152_441, 344_671]),
    row("pooling", "max", "MaxPooling2D 2x2, 32x32x16", [131_801, 29_646, 131_339, 390_539]),
    row("pooling", "overlapping", "MaxPooling2D 3x3, strides 1, 16x16x16", [284_961, 50_674, 282_959, 782_320]),
    row("pooling", "average", "AveragePooling2D 2x2, 16x16x16", [28_734, 11_173, 17_505, 23_969]),
    row("pooling", "same", "AveragePooling2D 3x3, strides 1, 8x8x16", [48_095, 14_776, 42_015, 117_549]),
    row("pooling", "mean", "GlobalAveragePooling2D, 8x8x16", [4_266, 944, 2_180, 4_837]),
    row("merging", "sigmoid", "Conv2D 1x1, 32 to 16, 16x16, and sigmoid", [0; 4]),
    row("merging", "sum", "Add, 16x16x16", [168_976, 25_629, 155_660, 593_086]),
    row("merging", "product", "Multiply, 16x16x16", [96_265, 15_383, 98_313, 292_784]),
    row("merging", "both", "Concatenate, 16x16, 16 and 16", [0; 4]),
    row("merging", "d", "Dense, 32 to 640", [0; 4]),
];

const HEAD: &str = "\
# What layers take

Written by `cargo xtask device-bench --update`. Instructions a multiply-accumulate (or an output, where nothing is
multiplied) of an int8 layer, with what is fused behind it, counted by QEMU; in brackets the layer's instructions over
CMSIS-NN's. CMSIS-NN's were counted outside of this repository, of the better of GCC 12.2 (-O3, LTO) and clang 14 for
each layer, on the M0 of its plain C; they leave out softmax. Those of averages, sums, products, one to three filters
and most depthwise convolutions are of GCC 12.2 and clang 19, which knew all sizes as constants: a program that reads
them from a model takes more. [numbers.md](numbers.md) says what such counts mean.

";

/// Writes the file.
///
/// # Errors
/// A layer was not measured, or the file cannot be written.
pub(crate) fn write(results: &[Value]) -> Result<()> {
    let path = root().join("docs/operators.md");
    fs::write(&path, text(results)?).with_context(|| format!("cannot write {}", path.display()))
}

fn text(results: &[Value]) -> Result<String> {
    let mut text = String::from(HEAD);
    let names = CORES.map(|(_, name)| format!(" {name} |")).concat();
    let lines = "---|".repeat(2 + CORES.len());
    writeln!(text, "| layer | MACs |{names}\n|{lines}")?;
    let mut ratios = [(); 4].map(|()| Vec::new());
    for row in &ROWS {
        let found = CORES.map(|(core, _)| layer(results, core, row));
        let measured = found[0].with_context(|| format!("{} {} was not measured", row.network, row.layer))?;
        let macs = measured["macs"].as_u64().unwrap_or_default();
        let outputs = measured["outputs"].as_u64().unwrap_or_default();
        write!(text, "| {} | {} |", row.text, if macs > 0 { macs.separate_with_commas() } else { "-".into() })?;
        for ((layer, cmsis), ratios) in found.into_iter().zip(row.cmsis).zip(&mut ratios) {
            let Some(instructions) = layer.and_then(|layer| layer["instructions"].as_u64()) else {
                text += " - |";
                continue;
            };
            let each = instructions as f64 / (if macs > 0 { macs } else { outputs }).max(1) as f64;
            write!(text, " {}", if each < 10.0 { format!("{each:.2}") } else { format!("{each:.1}") })?;
            if cmsis > 0 {
                let ratio = instructions as f64 / cmsis as f64;
                // Small layers are mostly the beginning and the end of a call, and CMSIS-NN's have no softmax.
                if macs > 2000 || macs == 0 {
                    ratios.push(ratio);
                }
                write!(text, " ({ratio:.2})")?;
            }
            text += " |";
        }
        text += "\n";
    }
    let means = ratios.map(|ratios| {
        let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
        format!(" {:.2} |", (sum / ratios.len().max(1) as f64).exp())
    });
    writeln!(text, "| **geometric mean of the ratios**, layers of over 2,000 MACs and poolings | |{}", means.concat())?;
    Ok(text)
}

/// The measured layer of a row on a core.
fn layer<'a>(results: &'a [Value], core: &str, row: &Row) -> Option<&'a Value> {
    let result = results.iter().find(|result| result["core"] == core && result["network"] == row.network)?;
    result["layers"].as_array()?.iter().find(|layer| layer["name"] == row.layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_that_of_what_was_measured() {
        let measured = fs::read_to_string(root().join("benches/device.json")).unwrap();
        let results: Vec<Value> = measured.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(text(&results).unwrap(), fs::read_to_string(root().join("docs/operators.md")).unwrap());
    }
}
