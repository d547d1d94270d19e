//! Hands what libFuzzer makes to [`wxmember_fuzz::spreadsheet`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wxmember_fuzz::spreadsheet::run(data));
