//! What a target works in: a folder and a runtime, one of each for a process.

use std::path::Path;

use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A folder, in memory where there is such a place. Its files are written anew for each input. A static keeps it, so the
/// last files stay when the process ends.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    folder.expect("a folder")
}

/// A runtime on the thread of the target. It is no one's but the target's: one that stops the clock stops it for itself.
pub(crate) fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}
