//! Brings every row of a member list to a known end.
//!
//! Never talks HTTP itself, never keeps a personal field in plain text at rest.
//!
#![doc = include_str!("../README.md")]

mod check;
mod defaults;
mod engine;
#[cfg(test)]
mod fake;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gateway;
mod importer;
mod job;
mod ledger;
mod load;
mod mapping;
mod member;
mod outcome;
mod pace;
mod progress;
mod report;
mod run;
mod settings;
mod source;
mod transition;
mod validate;
mod wechat;
mod window;
mod worker;

pub use crate::{
    check::{Checked, check},
    defaults::Defaults,
    gateway::{Answer, Gateway, Hint, SealRefusal, SealedRequest, Stop},
    importer::Importer,
    job::{Job, JobId, LoadError, Profile, Route, UnknownRoute},
    ledger::{CodeCount, Counts, JobReport, Ledger, LedgerError, Purged, Retry, RowReport, RowState, Slot},
    mapping::{Assignment, AssignmentError, Field, Mapping, MappingError},
    member::{CommonField, Member, Validity},
    pace::{Quota, QuotaError},
    progress::{Progress, Summary, Waiting},
    report::{Language, RefusedRows, Report, ReportError, export},
    run::RunError,
    settings::{OnUnknown, Settings},
    source::{
        CsvFile, CsvRecords, Description, Encoding, EncodingGuess, FileFormat, FileSource, Flaw, FlawKind,
        IterSource, Record, Records, Source, SourceError, SourceOptions, UnknownEncoding, UnknownFormat,
    },
    validate::{DefaultsError, Problem, ProblemKind, Validator},
    wechat::WechatGateway,
    window::{Window, WindowError},
    worker::{Until, Worker, WorkerSummary},
};
