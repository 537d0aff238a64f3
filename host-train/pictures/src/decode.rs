//! A picture's file becomes an upright picture that is small enough to work on.

use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, metadata::Orientation};

use super::PictureError;

/// More pixels than this are refused before they are decoded: the largest cameras of telephones have 200 million. Each
/// pixel takes at most 8 bytes, and in a progressive JPEG 6 more while it is read.
pub(super) const MOST_PIXELS: u64 = 250_000_000;
/// The longer side of what is worked on. A digit that fills a twentieth of it still has more pixels than a network's
/// input.
const LONGEST: u32 = 800;

/// An upright picture.
pub(super) struct Picture {
    /// Its pixels, of which each is the mean of `reduction` x `reduction` of the file.
    pub(super) small: DynamicImage,
    /// How many pixels of the file lie along one side of a pixel of `small`.
    pub(super) reduction: u32,
    /// The upright width, in pixels of the file.
    pub(super) width: u32,
    /// The upright height, in pixels of the file.
    pub(super) height: u32,
}

/// Reads a picture and turns it upright.
pub(super) fn read(path: &Path) -> Result<Picture, PictureError> {
    let failed = |error| PictureError::Read { path: path.into(), error };
    // What it is, its bytes tell, not its name.
    let reader = File::open(path).map(BufReader::new).map(ImageReader::new);
    let reader = reader.and_then(ImageReader::with_guessed_format).map_err(|error| failed(error.into()))?;
    let format = reader.format();
    if !matches!(format, Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(PictureError::Format { path: path.into(), format });
    }
    let mut decoder = reader.into_decoder().map_err(failed)?;

    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(PictureError::TooLarge { path: path.into(), width, height });
    }
    // The decoder would end the program.
    let bytes = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    if Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
        return Err(PictureError::Memory { path: path.into(), bytes });
    }
    let mut orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    if format == Some(ImageFormat::Jpeg) && !ends_as_jpeg(path).map_err(|error| failed(error.into()))? {
        return Err(failed(io::Error::from(io::ErrorKind::UnexpectedEof).into()));
    }
    if format == Some(ImageFormat::Png) && orientation == Orientation::NoTransforms {
        orientation = orientation_of_png(path).unwrap_or(orientation);
    }

    let reduction = width.max(height).div_ceil(LONGEST).max(1);
    let mut small = match reduction {
        1 => picture,
        _ => picture.thumbnail_exact((width / reduction).max(1), (height / reduction).max(1)),
    };
    small.apply_orientation(orientation);
    let is_turned =
        small.width() > small.height() && width < height || small.width() < small.height() && width > height;
    let (width, height) = if is_turned { (height, width) } else { (width, height) };
    Ok(Picture { small, reduction, width, height })
}

/// What a file of some other format is.
pub(super) fn kind(format: Option<ImageFormat>) -> String {
    match format {
        Some(format) => format!("a picture of the format {}", format!("{format:?}").to_uppercase()),
        None => "no picture".into(),
    }
}

/// What is wrong with a file. A decoder that wants more bytes than there are says so in words of its own.
pub(super) fn reason(error: &ImageError) -> String {
    match error {
        ImageError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the picture is cut off: the file ends before it does".into()
        }
        // The decoder's own words tell of parts of the file, over several lines.
        ImageError::Decoding(_) => "the picture is damaged: it cannot be decoded".into(),
        ImageError::Limits(_) => format!("the picture claims more pixels than are read, at most {MOST_PIXELS}"),
        _ => error.to_string(),
    }
}

/// Whether a JPEG's last scan is followed by the marker that ends the picture. The decoder makes up what is missing.
fn ends_as_jpeg(path: &Path) -> io::Result<bool> {
    let bytes = std::fs::read(path)?;
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    Ok(last([0xff, 0xda]).is_none_or(|scan| last([0xff, 0xd9]).is_some_and(|end| end > scan)))
}

/// The orientation in a PNG's eXIf chunk, which may as well stand behind the pixels, where `image` does not look for
/// it, and which some programs begin as JPEG's is begun.
fn orientation_of_png(path: &Path) -> Option<Orientation> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).ok()?)).read_info().ok()?;
    reader.finish().ok()?;
    let exif = reader.info().exif_metadata.as_deref()?;
    Orientation::from_exif_chunk(exif.strip_prefix(b"Exif\0\0").unwrap_or(exif))
}
