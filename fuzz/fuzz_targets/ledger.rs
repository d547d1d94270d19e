//! Hands what libFuzzer makes to [`wxmember_fuzz::ledger`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wxmember_fuzz::ledger::run(data));
