//! Hands what libFuzzer makes to [`wxmember_fuzz::notification`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wxmember_fuzz::notification::run(data));
