//! Checkpoints on a thread of their own: what is in the write-ahead log goes over into the file while others write on.
//!
//! A checkpoint waits for the disk twice, and a load that waited with it would stand still for a third of its time. The
//! log can only begin anew when all of it went over, which never comes while rows are stored without a pause; so a
//! writer that finds a long log does the rest itself.

use std::{
    ffi::c_int,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use rusqlite::{Connection, hooks::Wal};

use super::lock;

/// The thread; dropped, it ends after the checkpoint that it is at. Drop it before the last connection is closed: that
/// one empties the log.
#[derive(Debug)]
pub(super) struct Checkpoints {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// The thread's connection; locked while it is at work.
    own: Own,
}

type Own = Arc<Mutex<Option<Connection>>>;

impl Checkpoints {
    /// Starts the thread and has it woken by what this connection writes; with so many pages in the log the writer does it.
    pub(super) fn of(connection: &mut Connection, path: &Path, long: c_int) -> Result<Self, rusqlite::Error> {
        // One that waits is enough.
        let (wake, woken) = sync_channel::<()>(1);
        let own = Own::default();
        let (path, theirs) = (path.to_owned(), Arc::clone(&own));
        let thread = std::thread::Builder::new()
            .name("wxmember-checkpoint".to_owned())
            .spawn(move || {
                while woken.recv().is_ok() {
                    // One that fails, for example because another process is at it, is made up for by the next.
                    drop(checkpoint(&mut lock(&theirs), &path));
                }
            });
        let Ok(thread) = thread else {
            // Without a thread SQLite does it at its own pace.
            return Ok(Self {
                wake: None,
                thread: None,
                own,
            });
        };
        let hook = wake.clone();
        connection.wal_hook(Some(move |wal: &mut Wal, pages| {
            if pages >= long {
                // The commit is done: what is wrong with a checkpoint, or that another one is under way, is not its error.
                drop(wal.checkpoint());
            } else if pages >= WORTH_IT {
                // Full: it is awake already.
                let _ = hook.try_send(());
            }
            Ok(())
        }))?;
        Ok(Self {
            wake: Some(wake),
            thread: Some(thread),
            own,
        })
    }

    /// Waits for a checkpoint that is under way, and lets none begin meanwhile: SQLite does only one at a time.
    pub(super) fn hold(&self) -> MutexGuard<'_, Option<Connection>> {
        lock(&self.own)
    }

    /// Ends the thread. The hook holds the other end of the channel, so it goes first.
    pub(super) fn end(&mut self, connection: &mut Connection) {
        drop(connection.wal_hook(None::<fn(&mut Wal, c_int) -> Result<(), rusqlite::Error>>));
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn checkpoint(own: &mut Option<Connection>, path: &Path) -> Result<(), rusqlite::Error> {
    let connection = match own {
        Some(connection) => connection,
        None => own.insert(Connection::open(path)?),
    };
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Pages of 4 KiB in the log: 8 MiB.
const WORTH_IT: c_int = 2_048;
/// 64 MiB.
pub(super) const LONG: c_int = 16_384;
