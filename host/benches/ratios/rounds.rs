//! Cases that are measured in turn, and the figures that come of it.

use anyhow::Result;
use std::time::Instant;

/// Something to measure.
pub(crate) struct Case<'a> {
    pub(crate) name: String,
    call: Box<dyn FnMut() -> Result<()> + 'a>,
    // Calls per measurement: enough for the clock, few enough that an interruption spoils one of many.
    batch: u32,
    micros: Vec<f64>,
}

/// The lowest decile and the median of a case, in microseconds per call.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) decile: f64,
    pub(crate) median: f64,
}

impl<'a> Case<'a> {
    pub(crate) fn new(name: impl Into<String>, call: impl FnMut() -> Result<()> + 'a) -> Self {
        Self {
            name: name.into(),
            call: Box::new(call),
            batch: 20,
            micros: Vec::new(),
        }
    }

    /// Sets the calls per measurement.
    pub(crate) fn batch(mut self, batch: u32) -> Self {
        self.batch = batch;
        self
    }
}

/// Measures every case once per round.
pub(crate) fn measure(cases: &mut [Case<'_>], rounds: usize) -> Result<Vec<Figures>> {
    for case in &mut *cases {
        for _ in 0..(rounds / 8).max(1) {
            (case.call)()?;
        }
    }
    for _ in 0..rounds.max(1) {
        for case in &mut *cases {
            let start = Instant::now();
            for _ in 0..case.batch {
                (case.call)()?;
            }
            let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(case.batch);
            case.micros.push(micros);
        }
    }
    Ok(cases
        .iter_mut()
        .map(|case| figures(&mut case.micros))
        .collect())
}

pub(crate) fn figures(micros: &mut [f64]) -> Figures {
    micros.sort_by(f64::total_cmp);
    let at = |part: usize| micros[micros.len() * part / 100];
    Figures {
        decile: at(10),
        median: at(50),
    }
}
