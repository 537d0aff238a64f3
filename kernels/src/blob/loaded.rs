//! A quantised network without its type.

use alloc::vec::Vec;

use super::read::{check_records, malformed};
use super::{BlobError, Info};
use crate::geometry::Geometry;
use crate::graph::{AllOps, Graph};
use crate::infer::{Parts, StepS8, steps, windows};
use crate::plan::{Fusion, Plan, PlanBuf};

/// A quantised network that is known only when the program runs: its graph is the blob's own.
///
/// [`infer::run`](crate::infer::run()) computes it, with [`AllOps`].
#[derive(Clone, Debug)]
pub struct Loaded<'a> {
    info: Info<'a>,
    plan: PlanBuf,
    windows: Vec<Option<Geometry>>,
    parts: Parts<'a>,
}

impl<'a> Loaded<'a> {
    /// Reads the blob at the start of `bytes`.
    ///
    /// # Errors
    ///
    /// [`BlobError`], for anything that is off; afterwards nothing can fail.
    pub fn read(bytes: &'a [u8]) -> Result<Self, BlobError> {
        let (info, parts) = Info::read_with_parts(bytes)?;
        let plan = PlanBuf::new(&info.graph(), Fusion::Int8);
        let windows = windows(&info.graph(), &plan.plan());
        let loaded = Self { info, plan, windows, parts };
        check_records::<AllOps>(&parts, &loaded.steps())
            .map_err(|error| error.unwrap_or_else(|_| malformed("records")))?;
        Ok(loaded)
    }

    /// The network.
    pub fn graph(&self) -> Graph<'_> {
        self.info.graph()
    }

    /// What the blob says besides.
    pub fn info(&self) -> &Info<'a> {
        &self.info
    }

    /// The steps of inference, and where their tensors lie.
    pub fn plan(&self) -> Plan<'_> {
        self.plan.plan()
    }

    /// The same steps, as [`infer::run`](crate::infer::run()) takes them.
    pub fn steps(&self) -> Vec<StepS8<'_>> {
        steps(&self.graph(), &self.plan(), &self.windows)
    }

    /// The parts that a device reads.
    pub fn parts(&self) -> Parts<'a> {
        self.parts
    }
}
