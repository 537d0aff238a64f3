//! Draws the data set: a folder for each class in `pictures/`, with 500 small pictures.

use std::{error::Error, fs};

use image::{Rgb, RgbImage};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg32;

const SIDE: u32 = 24;

fn main() -> Result<(), Box<dyn Error>> {
    let mut random = Pcg32::seed_from_u64(1);
    for shape in ["circle", "square", "triangle"] {
        let folder = format!("pictures/{shape}");
        fs::create_dir_all(&folder)?;
        for number in 0..500 {
            draw(shape, &mut random).save(format!("{folder}/{number:03}.png"))?;
        }
    }
    Ok(())
}

/// A shape of some colour, size and place on a ground that is darker or lighter.
fn draw(shape: &str, random: &mut Pcg32) -> RgbImage {
    let is_dark: bool = random.random();
    let mut colour =
        |is_dark| [(); 3].map(|()| if is_dark { random.random_range(0..110) } else { random.random_range(145..256) });
    let (ground, ink) = (colour(is_dark), colour(!is_dark));
    let radius = random.random_range(5.0..9.0f32);
    let [x, y] = [(); 2].map(|()| random.random_range(radius + 1.0..SIDE as f32 - radius - 1.0));
    RgbImage::from_fn(SIDE, SIDE, |column, row| {
        let (dx, dy) = (column as f32 - x, row as f32 - y);
        let is_inside = match shape {
            "circle" => dx.hypot(dy) <= radius,
            "square" => dx.abs().max(dy.abs()) <= radius * 0.85,
            // Upright, with the tip above.
            _ => dy.abs() <= radius && dx.abs() <= (dy + radius) / 2.0,
        };
        let noise = random.random_range(-12..=12);
        Rgb((if is_inside { ink } else { ground }).map(|value: i16| (value + noise).clamp(0, 255) as u8))
    })
}
