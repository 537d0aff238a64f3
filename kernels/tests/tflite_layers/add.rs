use crate::record::records;
use thumbnet::arch::Backend;
use thumbnet::int8::AddS8;

#[test]
fn add() {
    for record in records("add") {
        let [a, b, output] = record.quantization();
        let [of_a, of_b, of_output] = AddS8::factors([a.scale, b.scale], output.scale);
        let layer = AddS8 {
            input_zero_points: [a.zero_point, b.zero_point],
            inputs: [of_a, of_b],
            output: of_output,
            zero_point: output.zero_point,
            activation: record.activation(output),
        };
        for backend in Backend::available() {
            let mut sum = record.bytes("in0");
            backend.add_s8(&layer, &record.bytes("in1"), &mut sum);
            assert_eq!(sum, record.bytes("out"), "{record} on {}", backend.name());
        }
    }
}
