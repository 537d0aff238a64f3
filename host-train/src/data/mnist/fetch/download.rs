//! One file from an HTTPS mirror.

use std::{io::Read, time::Duration};

use flate2::read::GzDecoder;
use indicatif::{ProgressBar, ProgressStyle};

use super::{File, check};

/// A mirror that cannot be reached must not keep anybody waiting: the next source is tried.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest file has 10 MB; at 30 KB/s it arrives in this time.
const TOTAL: Duration = Duration::from_secs(330);

/// The contents of `file` from `mirror`, uncompressed and checked; held in memory, so that nothing unchecked is ever
/// written. The error says which mirror and why.
pub(super) fn fetch(mirror: &str, file: &File) -> Result<Vec<u8>, String> {
    get(mirror, file).map_err(|reason| format!("{mirror}: {reason}"))
}

fn get(mirror: &str, file: &File) -> Result<Vec<u8>, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(2 * CONNECT))
        .timeout_global(Some(TOTAL))
        .build()
        .into();
    let response = agent.get(format!("{mirror}/{}.gz", file.name)).call().map_err(|error| error.to_string())?;
    let body = response.into_body();
    let bar = bar(file, body.content_length());
    // One byte more than the file has shows that it is another.
    let mut bytes = Vec::new();
    let result = GzDecoder::new(bar.wrap_read(body.into_reader())).take(file.len + 1).read_to_end(&mut bytes);
    bar.finish_and_clear();
    result.map_err(|error| format!("{}: {error}", file.name))?;
    check(file, &bytes)?;
    Ok(bytes)
}

/// A bar over the compressed bytes; on standard error, and only where that is a terminal.
fn bar(file: &File, len: Option<u64>) -> ProgressBar {
    let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} ETA {eta}";
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    let bar = len.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.with_style(style.progress_chars("━╸─")).with_message(file.name)
}
