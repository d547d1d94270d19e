//! A program that runs beside a test and ends with it.

use std::process::Child;

/// Killed when dropped, and waited for.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
