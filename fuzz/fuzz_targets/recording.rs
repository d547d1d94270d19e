//! Hands what libFuzzer makes to [`wxmember_fuzz::recording`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wxmember_fuzz::recording::run(data));
