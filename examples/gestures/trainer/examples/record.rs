//! Makes recordings of an accelerometer that nobody wore: `recordings/train.csv` and `recordings/test.csv`, and those
//! of the test as a board's sensor would give them, in `firmware/recordings.bin`.

use std::{f32::consts::TAU, fmt::Write as _, fs, io};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg32;

const GESTURES: [&str; 4] = ["idle", "wave", "circle", "shake"];
/// Rows of a recording, which is five windows of the network's.
const ROWS: usize = 320;
/// Rows in a second.
const RATE: f32 = 50.0;
/// What the sensor, with a range of 4 g, gives for one g.
const G: f32 = 8192.0;

fn main() -> io::Result<()> {
    let mut random = Pcg32::seed_from_u64(1);
    fs::create_dir_all("recordings")?;
    for (half, recordings) in [("train", 24), ("test", 6)] {
        let (mut table, mut raw) = (String::from("recording,label,x,y,z\n"), Vec::new());
        for recording in 0..recordings * GESTURES.len() {
            let gesture = GESTURES[recording % GESTURES.len()];
            for [x, y, z] in record(gesture, &mut random) {
                writeln!(table, "{recording},{gesture},{x},{y},{z}").expect("a string takes all");
                raw.extend([x, y, z].into_iter().flat_map(i16::to_le_bytes));
            }
        }
        fs::write(format!("recordings/{half}.csv"), table)?;
        if half == "test" {
            fs::write("firmware/recordings.bin", raw)?;
        }
    }
    Ok(())
}

/// One recording: a hand holds the sensor in its own way, and moves as fast and as far as it likes.
fn record(gesture: &str, random: &mut Pcg32) -> [[i16; 3]; ROWS] {
    let (tilt, roll) = (random.random_range(-0.5..0.5f32), random.random_range(-0.5..0.5f32));
    let gravity = [tilt.sin(), roll.sin(), tilt.cos() * roll.cos()];
    let mut between = |low: f32, high: f32| random.random_range(low..high);
    // In g, and in turns a second.
    let (size, speed) = match gesture {
        "idle" => (between(0.0, 0.1), between(0.2, 1.0)),
        "shake" => (between(0.4, 1.5), between(4.0, 7.0)),
        _ => (between(0.3, 1.2), between(1.0, 2.5)),
    };
    let (phase, aside) = (between(0.0, TAU), between(-0.2, 0.2));
    let mut turn = 0.0;
    [(); ROWS].map(|()| {
        // No hand keeps time.
        turn += TAU * speed * random.random_range(0.8..1.2) / RATE;
        let (sin, cos) = (turn + phase).sin_cos();
        let moved = match gesture {
            "circle" => [size * sin, size * cos, aside * sin],
            "shake" => [aside * sin, aside * cos, size * sin],
            _ => [size * sin, aside * sin, aside * cos],
        };
        [0, 1, 2].map(|axis| {
            let noise = random.random_range(-0.1..0.1f32);
            // A cast to i16 ends at its limits, as a sensor does.
            ((gravity[axis] + moved[axis] + noise) * G) as i16
        })
    })
}
