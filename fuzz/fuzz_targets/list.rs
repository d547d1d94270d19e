//! Hands what libFuzzer makes to [`wxmember_fuzz::list`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wxmember_fuzz::list::run(data));
